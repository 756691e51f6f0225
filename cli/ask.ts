/** Asks a person at the terminal for a line, seen or unseen. */
import { StringDecoder } from 'node:string_decoder';
import { VbatchError } from '../server/protocol/errors.ts';
import type { Io } from './io.ts';
import { harmless } from './render/text.ts';

/** Whether somebody is there to be asked. */
export function canAsk({ stdin, stderr }: Pick<Io, 'stdin' | 'stderr'>): boolean {
  return stdin.isTTY && stderr.isTTY === true;
}

/**
 * What is typed after `text`, without the end of its line; null for Ctrl-C, and for Ctrl-D on an empty line.
 * With `echo` false nothing of it is shown. `text` may have several lines.
 */
export function askLine(
  io: Pick<Io, 'stdin' | 'stderr'>,
  text: string,
  echo: boolean,
): Promise<string | null> {
  const { stdin, stderr } = io;
  return new Promise((resolve) => {
    let typed: string[] = [];
    const decoder = new StringDecoder('utf8');
    const erase = (count: number) => {
      typed = typed.slice(0, typed.length - count);
      if (echo) stderr.write('\b \b'.repeat(count));
    };
    const finish = (answer: string | null) => {
      stdin.off('data', take).off('end', hangUp);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      resolve(answer);
    };
    const hangUp = () => finish(null);
    const take = (data: Buffer) => {
      for (const character of decoder.write(data)) {
        switch (character) {
          case '\r':
          case '\n':
            return finish(typed.join(''));
          case '\x03':
            return finish(null);
          case '\x04':
            if (typed.length === 0) return finish(null);
            break;
          case '\x7f':
          case '\b':
            if (typed.length > 0) erase(1);
            break;
          case '\x15':
            erase(typed.length);
            break;
          default:
            // Arrow keys and the like come as an escape and letters, and are no part of any answer.
            if (character < ' ') break;
            typed.push(character);
            if (echo) stderr.write(character);
        }
      }
    };
    // The terminal shows nothing by itself then, and Ctrl-C arrives as a character. First, because some type ahead.
    stdin.setRawMode(true);
    stdin.on('data', take).on('end', hangUp);
    stdin.resume();
    stderr.write(text.split('\n').map(harmless).join('\n'));
  });
}

/** Asks for a yes; anything but `y` and `yes` is none. Throws `refused` where nobody is there. */
export async function confirm(io: Pick<Io, 'stdin' | 'stderr'>, text: string): Promise<boolean> {
  if (!canAsk(io)) throw new VbatchError('refused', `${text}: there is no terminal to ask at`);
  const answer = await askLine(io, `${text} [y/N]? `, true);
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}
