import { resolve } from 'node:path';
import type { Command } from 'commander';
import { VbatchError } from '../../server/protocol/errors.ts';
import { formatSize } from '../../server/protocol/quantities.ts';
import type { FileChange } from '../../server/protocol/runs.ts';
import { writeAll } from '../io.ts';
import type { Colours } from '../render/colours.ts';
import { structured } from '../render/list.ts';
import { patchLines, patchText } from '../render/patch.ts';
import { harmless } from '../render/text.ts';
import { type Context, drawing, withExamples } from './context.ts';

/** `vctl run …`: the files of runs. */
export function addRuns(program: Command, context: Context): void {
  const run = program.command('run').description('the files of runs');
  addFiles(run, context);
  addDiff(run, context);
  addCheckout(run, context);
}

interface OutputOption {
  output?: 'json';
}

interface DiffOptions extends OutputOption {
  patch?: boolean;
}

const jsonOption = ['-o, --output <format>', 'json: print all there is to say', readOutput] as const;

function readOutput(word: string): 'json' {
  if (word === 'json') return word;
  throw new VbatchError('usage', `-o ${JSON.stringify(word)}: expected json`);
}

/** `vctl run files ID` */
function addFiles(parent: Command, context: Context): void {
  const command = parent
    .command('files')
    .argument('<id>', 'id or name of a run')
    .description('list what a run has made of its files, and what has stayed on hosts')
    .option('-a, --all', 'also the files that have not changed')
    .option(...jsonOption)
    .action(async (id: string, { all = false, output }: { all?: boolean } & OutputOption) => {
      const client = await context.connect();
      const found = await client.runFiles(id, all);
      const { stdout } = context.io;
      if (output) return writeAll(stdout, await structured(output, found));
      const { colours } = drawing(context, stdout);
      const left = found.left.map(
        ({ host, place, size }) => `left on ${host}  ${formatSize(size).padStart(6)}  ${harmless(place)}`,
      );
      const lost = found.lost.map(
        ({ path, size, by }) => `overwritten  ${formatSize(size).padStart(6)}  ${harmless(path)}, by ${by}`,
      );
      await writeLines(
        context,
        [...fileLines(found.files, colours), ...left, ...lost],
        'nothing has changed',
      );
    });
  withExamples(command, ['vctl run files training_pipeline', 'vctl run files training_pipeline-4k2m9 --all']);
}

/** `vctl run diff ID [ID]` */
function addDiff(parent: Command, context: Context): void {
  const command = parent
    .command('diff')
    .argument('<id>', 'id or name of a run')
    .argument('[other]', 'id or name of another; without it, the folder as it is now')
    .description('compare what runs were submitted with: files, command line, environment')
    .option('-p, --patch', 'also the lines that differ, as `git diff` shows them')
    .option(...jsonOption)
    .action(async (id: string, other: string | undefined, { output, patch = false }: DiffOptions) => {
      const client = await context.connect();
      const found = await client.runDiff(id, other, patch);
      const { stdout } = context.io;
      if (output) return writeAll(stdout, await structured(output, found));
      const { colours } = drawing(context, stdout);
      const words = (command_: readonly string[]) => harmless(command_.join(' '));
      const command =
        found.command === null
          ? []
          : [colours.red(`- ${words(found.command.here)}`), colours.green(`+ ${words(found.command.there)}`)];
      const environment = found.environment.flatMap(({ name, here, there }) => [
        ...(here === null ? [] : [colours.red(`- ${harmless(`${name}=${here}`)}`)]),
        ...(there === null ? [] : [colours.green(`+ ${harmless(`${name}=${there}`)}`)]),
      ]);
      const files = patch ? [] : fileLines(found.files, colours);
      const lines = patch ? patchLines(found.files) : [];
      if (files.length + lines.length + command.length + environment.length === 0)
        return writeLines(context, [], 'no difference');
      if (files.length + command.length + environment.length > 0)
        await writeLines(context, [...files, ...command, ...environment], '');
      await writeAll(stdout, patchText(lines, colours, stdout.isTTY === true));
    });
  withExamples(command, [
    'vctl run diff train-4k2m9',
    'vctl run diff train-4k2m9 train-9x4m1',
    'vctl run diff --patch train-4k2m9 >edits.patch',
  ]);
}

/** `vctl run checkout ID DIR` */
function addCheckout(parent: Command, context: Context): void {
  const command = parent
    .command('checkout')
    .argument('<id>', 'id or name of a run')
    .argument('<dir>', 'a new folder')
    .description('write the files of a run into a new folder')
    .option('--first', 'as they were submitted')
    .action(async (id: string, directory: string, { first = false }: { first?: boolean }) => {
      const client = await context.connect();
      const { files, bytes, left } = await client.checkOut(id, { directory: resolve(directory), first });
      await writeAll(context.io.stdout, `${files} files, ${formatSize(bytes)}\n`);
      const why = 'this system has no such names, or lets you make no links';
      for (const path of left) context.io.stderr.write(`vctl: ${harmless(path)} is left out: ${why}\n`);
    });
  withExamples(command, ['vctl run checkout training_pipeline-4k2m9 /tmp/then']);
}

const marks = { none: ' ', new: '+', changed: '~', removed: '-' } as const;

function fileLines(files: readonly FileChange[], colours: Colours): string[] {
  const styles = {
    none: (text: string) => text,
    new: colours.green,
    changed: colours.yellow,
    removed: colours.red,
  };
  return files
    .filter(({ kind, change }) => kind !== 'folder' || change !== 'none')
    .map(({ path, kind, change, size }) => {
      const amount = kind === 'file' ? formatSize(size) : kind === 'link' ? 'link' : '';
      const name = kind === 'folder' ? `${path}/` : path;
      return styles[change](`${marks[change]} ${amount.padStart(6)}  ${harmless(name)}`);
    });
}

async function writeLines(context: Context, lines: readonly string[], none: string): Promise<void> {
  const { stdout, stderr } = context.io;
  if (lines.length === 0) stderr.write(`vctl: ${none}\n`);
  else await writeAll(stdout, `${lines.join('\n')}\n`);
}
