/** Terminals on hosts that share nothing with this machine, one with a GPU and one with a login shell of another kind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Person } from '../../support/person.ts';
import { possible } from '../../support/testbed/testbed.ts';
import { Cluster } from './cluster.ts';

const missing = possible();
if (missing !== null)
  console.error(`SKIPPED: no hosts can be made here, so no terminal is opened over SSH: ${missing}`);

describe.skipIf(missing !== null)('R36 terminals over SSH', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.up([
      { name: 'n1', gpus: 2, config: '{ cpus: 8 }' },
      { name: 'n2', config: '{ cpus: 64 }', shell: '/usr/bin/fish' },
    ]);
  });
  afterAll(() => cluster?.down());

  function sit(...command: string[]): Person {
    const { work, env } = cluster.sandbox;
    return new Person(command, { cwd: work, env });
  }

  const left = (host: string, text: string) =>
    cluster.bed
      .host(host)
      .processes()
      .filter(({ command }) => command.includes(text));

  it('R24 vrun -P gpu-1 bash is a shell on the machine that has the GPU, and sees that alone', async () => {
    const person = sit('vrun', '-P', 'gpu-1', '-e', 'PS1=$ ', 'bash', '--norc');
    await person.sees('$ ');
    person.type('echo "on $(hostname) gpu=$CUDA_VISIBLE_DEVICES $(stty size) $TERM"\r');
    await person.sees('on n1 gpu=');
    await person.sees(' 30 100 xterm-256color\r\n');
    person.resize(50, 60);
    person.type('until [ "$(stty size)" = "50 60" ]; do sleep 0.05; done; echo re""sized\r');
    await person.sees('resized\r\n');
    person.type('sleep 4711\r');
    await expect.poll(() => left('n1', 'sleep 4711').length, { timeout: 10_000 }).toBe(1);
    person.type('\x03');
    await person.sees('$ ');
    person.type('exit 7\r');
    expect(await person.ended).toEqual({ code: 7, modes: 'echo lines opost' });
    expect(left('n1', '.start')).toEqual([]);
  });

  it('vctl attach is beside a task on its host, with its GPU', async () => {
    const { stdout } = await cluster.sandbox.run('vbatch', [
      '-P',
      'gpu-2',
      '--name',
      'train',
      'sleep',
      '4712',
    ]);
    const id = stdout.trim();
    await cluster.sandbox.shell(`until vctl task get ${id} | grep -q RUNNING; do sleep 0.1; done`);
    const command = sit(
      'vctl',
      'attach',
      id,
      '--',
      'sh',
      '-c',
      'echo "on $(hostname) gpu=$CUDA_VISIBLE_DEVICES in $PWD"; exit 5',
    );
    await command.sees(`on n1 gpu=0,1 in ${cluster.sandbox.work}\r\n`);
    expect((await command.ended).code).toBe(5);
    const shell = sit('vctl', 'attach', id);
    shell.type('echo "shell of $VBATCH_TASK_NAME"; sleep 4713\r');
    await shell.sees('shell of train\r\n');
    await cluster.sandbox.run('vctl', ['task', 'cancel', id]);
    await shell.ended;
    await expect.poll(() => left('n1', 'sleep 471'), { timeout: 10_000 }).toEqual([]);
  });

  it('R30 goes with its connection, and vrun says so and waits for the end', async () => {
    const person = sit('vrun', '-P', 'cpu-64', '-t', 'sh', '-c', 'echo "on $(hostname)"; sleep 4714; :');
    await person.sees('on n2\r\n');
    cluster.bed.host('n2').killSessions();
    await person.sees('is gone: the connection is lost');
    await person.sees('ended FAILURE');
    expect(await person.ended).toEqual({ code: 129, modes: 'echo lines opost' });
    expect(left('n2', 'sleep 4714')).toEqual([]);
  });
});
