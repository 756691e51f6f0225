import { Argument, type Command } from 'commander';
import type { Client } from '../../server/client/client.ts';
import { readSshNames, usualSshConfig } from '../../server/config/sshNames.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { type Candidate, complete, type Sources } from '../completion/complete.ts';
import {
  completionLines,
  completionScript,
  joinedAtEquals,
  type Shell,
  shells,
} from '../completion/scripts.ts';
import { type Context, withExamples } from './context.ts';

/** More than this is no help to somebody who presses the tab key. */
const mostCandidates = 200;

/** `vctl completion SHELL`, and the hidden `vctl __complete SHELL WORD…` that its scripts call. */
export function addCompletion(program: Command, context: Context): void {
  const command = program
    .command('completion')
    .addArgument(new Argument('<shell>', 'whose script to print').choices(shells))
    .description('print the completions of vbatch, vrun and vctl for a shell')
    .action((shell: Shell) => {
      context.io.stdout.write(completionScript(shell));
    });
  withExamples(command, [
    'eval "$(vctl completion bash)"       in ~/.bashrc',
    'eval "$(vctl completion zsh)"        in ~/.zshrc, after compinit',
    'vctl completion fish | source        in ~/.config/fish/config.fish',
  ]);

  program
    .command('__complete', { hidden: true })
    .argument('<shell>')
    .argument('<words...>')
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (shell: string, words: string[]) => {
      const { words: whole, split } = shell === 'bash' ? joinedAtEquals(words) : { words, split: undefined };
      const found = await complete(whole, program, sources(context));
      context.io.stdout.write(completionLines(split?.(found) ?? found));
    });
}

/** Candidates from a server that runs already: pressing the tab key starts none. */
function sources(context: Context): Sources {
  const ask = async <T>(question: (client: Client) => Promise<T[]>): Promise<T[]> => {
    const client = await context.connectIfRunning();
    return client === null ? [] : question(client);
  };
  return {
    async pools() {
      const pools = await ask((client) => client.pools(context.workspace));
      return pools.map(({ name, running, queued }) => ({
        text: name,
        description: `${running} run, ${queued} wait`,
      }));
    },
    async runNames() {
      const runs = await ask(
        async (client) => (await client.list({ top: true, limit: mostCandidates })).tasks,
      );
      const newest = new Map(runs.toReversed().map((run) => [run.name, candidate(run.name, run)]));
      return [...newest.values()];
    },
    async hosts() {
      const hosts = await ask((client) => client.hosts());
      return hosts.map(({ name, state }) => ({ text: name, description: state }));
    },
    async sshNames() {
      return readSshNames(usualSshConfig()).names.map((text) => ({ text, description: '' }));
    },
    async ids(parent) {
      const query = parent === null ? { top: true } : { parent };
      const tasks = await ask(
        async (client) => (await client.list({ ...query, limit: mostCandidates })).tasks,
      );
      return tasks.map((task) => candidate(task.id, task));
    },
  };
}

function candidate(text: string, task: TaskView): Candidate {
  return { text, description: task.status };
}
