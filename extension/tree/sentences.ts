/** Without those that another one says again, of what they are about: `--after-success prep: waits for prep`. */
export function unrepeated(sentences: readonly string[]): string[] {
  return sentences.filter((sentence) => !sentences.some((other) => other.endsWith(`: ${sentence}`)));
}
