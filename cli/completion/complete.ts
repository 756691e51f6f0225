/** What may stand at the cursor of a command line, for all three shells. */
import { basename } from 'node:path';
import type { Command, Option } from 'commander';
import { allFlags } from '../../server/protocol/commandLineFlags.ts';
import { hostColumns, poolColumns, taskColumns } from '../render/columns.ts';

export interface Candidate {
  text: string;
  description: string;
}

/** What the shell itself should complete: files, or a whole command that begins at this word. */
export type Delegate = 'files' | 'directories' | { command: number } | null;

export interface Completion {
  candidates: Candidate[];
  delegate: Delegate;
}

/** What only the server, or ssh's configuration, knows. What comes of a server is empty where none runs. */
export interface Sources {
  pools(): Promise<Candidate[]>;
  /** Names of runs, which is what a dependency outside any task can name. */
  runNames(): Promise<Candidate[]>;
  /** Names of hosts. */
  hosts(): Promise<Candidate[]>;
  /** Names that ssh's configuration has for hosts. */
  sshNames(): Promise<Candidate[]>;
  /** Ids of runs; of the children of `parent` where that is given. */
  ids(parent: string | null): Promise<Candidate[]>;
}

/**
 * Completes the last of `words`.
 * @param words the command line from the program's name on; the last may be empty.
 * @param vctl the definition of `vctl`, from which its completions follow.
 */
export async function complete(
  words: readonly string[],
  vctl: Command,
  sources: Sources,
): Promise<Completion> {
  const program = basename(words[0] ?? '');
  const current = words.at(-1) ?? '';
  const found =
    program === 'vctl' ? await completeVctl(words, vctl, sources) : await completeSubmission(words, sources);
  return { ...found, candidates: found.candidates.filter(({ text }) => text.startsWith(current)) };
}

const nothing: Completion = { candidates: [], delegate: null };

async function completeSubmission(words: readonly string[], sources: Sources): Promise<Completion> {
  const last = words.length - 1;
  const current = words[last] ?? '';
  for (let at = 1; at < last; at++) {
    const word = words[at] ?? '';
    if (word === '--') return { candidates: [], delegate: { command: at + 1 } };
    if (!word.startsWith('-') || word === '-') return { candidates: [], delegate: { command: at } };
    const flag = allFlags.find(({ long, short }) => word === long || word === short);
    if (flag?.takesValue !== true) continue;
    at += 1;
    if (at === last) return flagValue(flag.long, current, '', sources);
  }
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (name !== undefined && value !== undefined) return flagValue(name, value, `${name}=`, sources);
  if (!current.startsWith('-')) return { candidates: [], delegate: { command: last } };
  return {
    candidates: allFlags.map(({ long, description }) => ({ text: long, description })),
    delegate: null,
  };
}

async function flagValue(flag: string, value: string, prefix: string, sources: Sources): Promise<Completion> {
  const prefixed = (candidates: readonly Candidate[], before: string) => ({
    candidates: candidates.map(({ text, description }) => ({ text: before + text, description })),
    delegate: null,
  });
  switch (flag) {
    case '--pool':
      return prefixed(await sources.pools(), prefix);
    case '--after-success':
    case '--after-fail':
    case '--after':
      return prefixed(await sources.runNames(), prefix + value.slice(0, value.lastIndexOf(',') + 1));
    case '--output':
      return prefixed([{ text: 'json', description: '' }], prefix);
    case '--directory':
      return { candidates: [], delegate: 'directories' };
    default:
      return nothing;
  }
}

async function completeVctl(words: readonly string[], vctl: Command, sources: Sources): Promise<Completion> {
  const last = words.length - 1;
  const current = words[last] ?? '';
  let command = vctl;
  for (let at = 1; at < last; at++) {
    const word = words[at] ?? '';
    const option = command.options.find(({ long, short }) => word === long || word === short);
    if (option?.required === true) {
      at += 1;
      if (at === last) return optionValue(command, option, current);
    }
    if (!word.startsWith('-')) command = subcommand(command, word) ?? command;
  }
  if (current.startsWith('-')) return { candidates: optionsOf(command), delegate: null };
  if (command.commands.length > 0) return { candidates: subcommandsOf(command, current), delegate: null };
  const [argument] = command.registeredArguments;
  if (argument?.argChoices) return { candidates: plain(argument.argChoices), delegate: null };
  switch (argument?.name()) {
    case 'id': {
      const parent = current.includes('/') ? current.slice(0, current.lastIndexOf('/')) : null;
      return { candidates: await sources.ids(parent), delegate: null };
    }
    case 'host':
      return { candidates: await sources.hosts(), delegate: null };
    case 'name':
      return { candidates: await sources.sshNames(), delegate: null };
    default:
      return nothing;
  }
}

function optionValue(command: Command, option: Option, current: string): Completion {
  if (option.long === '--header') return { candidates: plain(['true', 'false']), delegate: null };
  if (option.long !== '--output') return nothing;
  if (command.name() === 'get' || command.name() === 'check')
    return { candidates: plain(['json', 'yaml']), delegate: null };
  const group = command.parent?.name();
  const columns = group === 'pool' ? poolColumns : group === 'host' ? hostColumns : taskColumns;
  const names = columns.all.map(({ name }) => name);
  const before = current.slice(0, current.lastIndexOf(',') + 1);
  const texts = before === '' ? ['json', 'yaml', 'wide', ...names] : names.map((name) => before + name);
  return { candidates: plain(texts), delegate: null };
}

function subcommand(command: Command, name: string): Command | undefined {
  return command.commands.find((each) => each.name() === name);
}

/** Commands as the help lists them; for whoever has begun to type one, the short forms too, which it hides. */
function subcommandsOf(command: Command, current: string): Candidate[] {
  const offered = current === '' ? command.createHelp().visibleCommands(command) : command.commands;
  return offered.map((each) => ({ text: each.name(), description: each.description() }));
}

/** Options that are not hidden. */
function optionsOf(command: Command): Candidate[] {
  const visible = command.createHelp().visibleOptions(command);
  return visible.map(({ long, description }) => ({ text: long ?? '', description }));
}

function plain(texts: readonly string[]): Candidate[] {
  return texts.map((text) => ({ text, description: '' }));
}
