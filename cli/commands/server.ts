import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { isAlive, logFile } from '../../server/client/launch.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import { writeAll } from '../io.ts';
import { serverLogLine } from '../render/serverLog.ts';
import { ageText } from '../render/times.ts';
import { type Context, withExamples } from './context.ts';

/** How long a server may take to store what it has and to end. */
const stopMs = 30_000;

/** `vctl server start|stop|status|log` */
export function addServer(program: Command, context: Context): void {
  const group = program
    .command('server')
    .description('the server, which all other commands start by themselves');
  const { stdout } = context.io;

  const start = group
    .command('start')
    .description('start the server, unless it runs')
    .action(async () => {
      const client = await context.connect();
      const { pid, home } = await client.server();
      stdout.write(`the server runs as process ${pid} in ${home}\n`);
    });

  const stop = group
    .command('stop')
    .description('end the server; running tasks go on, and the next server takes them up again')
    .action(async () => {
      const client = await context.connectIfRunning();
      if (client === null) {
        stdout.write(`no server runs in ${context.home}\n`);
        return;
      }
      const pid = await client.stop();
      client.close();
      await ended(pid);
      stdout.write(`the server has ended; running tasks go on\n`);
    });

  const status = group
    .command('status')
    .description('show what runs, and since when; exit with 1 where no server does')
    .action(async () => {
      const client = await context.connectIfRunning();
      if (client === null) {
        stdout.write(`no server runs in ${context.home}\n`);
        context.exitWith(1);
        return;
      }
      const { version, pid, home, startedAt, tasks, problem } = await client.server();
      const lines = [
        `version  ${version}`,
        `process  ${pid}`,
        `folder   ${home}`,
        `started  ${startedAt} (${ageText(startedAt, context.now())} ago)`,
        `tasks    ${tasks}`,
        ...(problem === null ? [] : [`problem  ${problem}`]),
      ];
      stdout.write(`${lines.join('\n')}\n`);
    });

  const log = group
    .command('log')
    .description("print the server's log")
    .action(async () => {
      const file = createReadStream(logFile(context.home));
      try {
        const lines = createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY });
        for await (const line of lines) await writeAll(stdout, `${serverLogLine(line)}\n`);
      } catch (error) {
        const { message } = error as Error;
        throw new VbatchError('notFound', `the server's log cannot be read: ${message}`);
      }
    });

  withExamples(start, ['vctl server start']);
  withExamples(stop, ['vctl server stop']);
  withExamples(status, ['vctl server status']);
  withExamples(log, ['vctl server log | tail']);
}

/** Resolves when the process is gone. Throws `noServer` where that takes too long. */
async function ended(pid: number): Promise<void> {
  const deadline = Date.now() + stopMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      const advice = '`vctl server log` may say why';
      throw new VbatchError('noServer', `the server (process ${pid}) has not ended after 30 s; ${advice}`);
    }
    await sleep(20);
  }
}
