/** The server's log for a person: its lines are JSON, as pino writes it. */
import { harmless } from './text.ts';

const levels: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** Time, level, message and whatever else was told; a line that is not the logger's stays as it is. */
export function serverLogLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return harmless(line);
  }
  if (typeof entry !== 'object' || entry === null || typeof entry.level !== 'number') return harmless(line);
  const { level, time, msg, err, ...rest } = entry;
  const more = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
  const head = `${typeof time === 'string' ? time : ''} ${(levels[level] ?? String(level)).padEnd(5)} ${typeof msg === 'string' ? msg : ''}${more}`;
  const stack = (err as { stack?: unknown } | undefined)?.stack;
  const lines =
    typeof stack === 'string' ? [head, ...stack.split('\n').map((each) => `    ${each}`)] : [head];
  return lines.map(harmless).join('\n');
}
