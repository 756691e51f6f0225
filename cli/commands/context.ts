/** What every command of `vctl` is given. */
import type { Command } from 'commander';
import type { Client } from '../../server/client/client.ts';
import { type Io, type Output, terminalWidth } from '../io.ts';
import { type Colours, coloursFor } from '../render/colours.ts';

export interface Context {
  io: Io;
  /** The state folder. */
  home: string;
  /** The server of this state folder, started where none runs. */
  connect(): Promise<Client>;
  /** The server where one runs, whatever its version, else null. */
  connectIfRunning(): Promise<Client | null>;
  /** Folder whose `.vbatch/config.yaml` applies here, or null. */
  workspace: string | null;
  /** Milliseconds since the epoch. */
  now(): number;
  /** What the program will exit with, if not 0. */
  exitWith(code: number): void;
}

/** How to draw on one of the streams. */
export function drawing(
  context: Context,
  output: Output,
): { width: number | null; colours: Colours; now: number } {
  return {
    width: terminalWidth(output),
    colours: coloursFor(output, context.io.env),
    now: context.now(),
  };
}

/** Adds examples below a command's help. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}\n`).join('')}`);
}
