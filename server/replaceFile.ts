/** How a file that was written beside another one takes its place, so that nobody sees it half written. */
import { renameSync } from 'node:fs';

/** On Windows nobody may while another program, such as a virus scanner, has one of them open. Milliseconds. */
const pausesOfWindows = [5, 20, 50, 100, 200];

/** As rename(2). Where the files are held open by others, it waits for these milliseconds and tries again. */
export function replaceFile(
  from: string,
  to: string,
  pauses: readonly number[] = process.platform === 'win32' ? pausesOfWindows : [],
  rename: (from: string, to: string) => void = renameSync,
): void {
  for (const pause of pauses) {
    try {
      rename(from, to);
      return;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!['EPERM', 'EACCES', 'EBUSY'].includes(code)) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
  }
  rename(from, to);
}
