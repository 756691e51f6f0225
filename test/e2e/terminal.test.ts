import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Person } from '../support/person.ts';
import { Sandbox, type SeenTask } from './sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = new Sandbox(
    'hosts:\n  local:\n    cpus: 4\npools:\n  one:\n    hosts: [local]\n    cpus: 1\n    slots: 1\n',
  );
  await sandbox.run('vctl', ['server', 'start']);
});
afterAll(() => sandbox.remove());

const usual = 'echo lines opost';

function sit(...command: string[]): Person {
  return new Person(command, { cwd: sandbox.work, env: sandbox.env });
}

/** The newest run. */
async function newest(): Promise<SeenTask> {
  const { stdout } = await sandbox.run('vctl', ['task', 'list', '-o', 'json', '--limit', '1']);
  return (JSON.parse(stdout) as SeenTask[])[0] as SeenTask;
}

it('R36 vrun bash is a shell to work in: prompt, size, Ctrl-C, Ctrl-D, exit code', async () => {
  const person = sit('vrun', '-e', 'PS1=$ ', 'bash', '--norc');
  await person.sees('$ ');
  person.type('tty; stty size; echo "$TERM in $VBATCH_TASK_NAME"\r');
  await person.sees('/dev/pts/');
  await person.sees('30 100\r\n');
  await person.sees('xterm-256color in bash\r\n');
  person.resize(40, 120);
  person.type('until [ "$(stty size)" = "40 120" ]; do sleep 0.05; done; echo re""sized\r');
  await person.sees('resized\r\n');
  // Until a command is in the foreground, Ctrl-C would reach the shell alone.
  person.type('sh -c \'echo be""gun; sleep 300\'\r');
  await person.sees('begun\r\n');
  person.type('\x03');
  await person.sees('^C');
  await person.sees('$ ');
  person.type('echo "code $?"\r');
  await person.sees('code 130\r\n');
  person.type('(exit 5)\r');
  await person.sees('(exit 5)\r\n');
  await person.sees('$ ');
  person.type('\x04');
  expect(await person.ended).toEqual({ code: 5, modes: usual });
  const { id } = await newest();
  expect((await sandbox.log(id)).stdout).toContain('code 130\r\n');
});

it('R36 vrun -t gives any command a terminal, and every byte its way', async () => {
  const person = sit(
    'vrun',
    '-t',
    'sh',
    '-c',
    'stty raw -echo; printf "a\\nb\\377"; head -c 3 | od -An -tx1; exit 3',
  );
  await person.sees('a\nb\xff');
  person.type('\x00\x03\xfe');
  await person.sees('00 03 fe\n');
  expect(await person.ended).toEqual({ code: 3, modes: usual });
});

it('R36 lines that begin with ~ are for vrun: help, a tilde, and leaving, from where vctl attach comes back', async () => {
  const person = sit('vrun', '-t', 'sh', '-c', 'echo ready; cat; echo over; exit 4');
  await person.sees('ready\r\n');
  person.type('~?');
  await person.sees('detach');
  person.type('~~one\r');
  await person.sees('~one\r\n~one\r\n');
  person.type('x~.\r');
  await person.sees('x~.\r\nx~.\r\n');
  person.type('~.');
  await person.sees('vrun: ');
  await person.sees('vctl task attach');
  expect(await person.ended).toEqual({ code: 130, modes: usual });
  const { id, status } = await newest();
  expect(status).toBe('RUNNING');
  const back = sit('vctl', 'attach', id);
  await back.sees('ready\r\n');
  await back.sees('x~.\r\nx~.\r\n');
  back.type('two\r');
  await back.sees('two\r\ntwo\r\n');
  back.type('\x04');
  await back.sees('over\r\n');
  expect(await back.ended).toEqual({ code: 4, modes: usual });
});

it('R36 what waits in a queue is waited for as ever, and is cancelled by Ctrl-C', async () => {
  const first = sit('vrun', '-P', 'one', '-t', 'cat');
  first.type('hello\r');
  await first.sees('hello\r\nhello\r\n');
  const second = sit('vrun', '-P', 'one', '-t', 'sh', '-c', 'read -r _; stty size; cat');
  await second.sees('QUEUED');
  const third = sit('vrun', '-P', 'one', '-t', 'cat');
  await third.sees('QUEUED');
  third.type('\x03');
  await third.sees('[c]ancel');
  third.type('c');
  expect(await third.ended).toEqual({ code: 125, modes: usual });
  second.resize(11, 22);
  first.type('\x04');
  expect(await first.ended).toEqual({ code: 0, modes: usual });
  second.type('\r');
  await second.sees('11 22\r\n');
  second.type('typed\r');
  await second.sees('typed\r\ntyped\r\n');
  second.type('\x03');
  expect(await second.ended).toEqual({ code: 130, modes: usual });
});

it('R36 vctl task cancel ends an idle shell, and vrun tells how', async () => {
  const person = sit('vrun', '-e', 'PS1=$ ', 'bash', '--norc');
  await person.sees('$ ');
  const { id } = await newest();
  await sandbox.run('vctl', ['task', 'cancel', id]);
  await person.sees(`${id} ended CANCELLED`);
  expect(await person.ended).toEqual({ code: 129, modes: usual });
});

it('R31 with the server goes the terminal, which vrun says, and the task has ended with it', async () => {
  const person = sit('vrun', '-t', 'sh', '-c', 'echo ready; sleep 300');
  await person.sees('ready\r\n');
  sandbox.killServer();
  await person.sees('is gone: ');
  await person.sees('ended FAILURE');
  expect(await person.ended).toEqual({ code: 129, modes: usual });
});

it('a closed window leaves the task and its terminal', async () => {
  const person = sit('vrun', '-e', 'PS1=$ ', 'bash', '--norc');
  await person.sees('$ ');
  person.type('X=kept\r');
  await person.sees('$ ');
  person.close();
  const { id } = await newest();
  const back = sit('vctl', 'task', 'attach', id);
  await back.sees('X=kept');
  back.type('echo "X is $X"; exit\r');
  await back.sees('X is kept\r\n');
  expect((await back.ended).code).toBe(0);
});

it('vctl task attach opens a shell beside any other task, in its surroundings, until that ends', async () => {
  const script = sandbox.write('wait.sh', '#!/bin/sh\nuntil [ -e enough ]; do sleep 0.05; done\n');
  const { stdout } = await sandbox.run('vbatch', ['-e', 'COLOUR=blue', script]);
  const id = stdout.trim();
  await sandbox.shell(`until vctl task get ${id} | grep -q RUNNING; do sleep 0.1; done`);
  const command = sit(
    'vctl',
    'attach',
    id,
    '--',
    'sh',
    '-c',
    'pwd; echo "$COLOUR $VBATCH_TASK_ID"; stty size; exit 6',
  );
  await command.sees(`${sandbox.work}\r\nblue ${id}\r\n30 100\r\n`);
  expect(await command.ended).toEqual({ code: 6, modes: usual });
  const shell = sit('vctl', 'attach', id);
  shell.type('echo "shell of $COLOUR"\r');
  await shell.sees('shell of blue\r\n');
  writeFileSync(`${sandbox.work}/enough`, '');
  expect((await shell.ended).modes).toBe(usual);
  const ended = sit('vctl', 'attach', id);
  await ended.sees('its command has ended');
  expect((await ended.ended).code).toBe(1);
});

it('says where a terminal is needed and there is none', async () => {
  const vrun = await sandbox.run('vrun', ['-t', 'true']);
  expect(vrun).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('-t needs a terminal') });
  const vbatch = await sandbox.run('vbatch', ['-t', 'true']);
  expect(vbatch).toMatchObject({ code: 2, stderr: expect.stringContaining('-t is for vrun') });
  const attach = await sandbox.run('vctl', ['attach', 'x']);
  expect(attach).toMatchObject({ code: 1, stderr: expect.stringContaining('needs a terminal') });
  const person = sit('vrun', '-t', 'sh', '-c', 'vrun -t true; echo "nested $?"');
  await person.sees('inside a task there is none');
  await person.sees('nested 2\r\n');
  await person.ended;
  const piped = sit('sh', '-c', 'vrun bash </dev/null | cat; echo "went on"');
  await piped.sees('went on');
  await piped.ended;
});
