/** A command as it can be pasted into a shell. Words that need it are quoted, as POSIX `sh` has it. */
export function shellText(command: readonly string[]): string {
  return command.map((word) => (isPlain(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

function isPlain(word: string): boolean {
  return /^[\w@%+=:,./-]+$/.test(word);
}
