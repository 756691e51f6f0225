/** Runs inside the extension host and leaves it alone: the window stays until the measurement closes it. */
export function run(): Promise<void> {
  return new Promise(() => {});
}
