/** Who we are: keys, agents, passwords, and what only the system’s ssh can show. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import ssh2, { type AuthenticationType } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemory } from '../../../server/ssh/memory.ts';
import { echo } from './reading.ts';
import { answering, hasSshd, sshKeygen, transports, useBed } from './sshd.ts';

describe.skipIf(!hasSshd)('who we are', () => {
  const context = useBed();

  describe.each(transports)('by a key with a passphrase, by %s', (transport) => {
    beforeEach(async () => {
      await context.bed.makeKey('locked', 'open sesame');
      context.bed.trust('locked');
      await context.bed.serve('n1', { client: [`IdentityFile ${context.bed.path('locked')}`] });
      writeFileSync(context.bed.path('authorized_keys'), readFileSync(`${context.bed.path('locked')}.pub`));
    });

    it('is let in with the right one', async () => {
      const prompter = answering({ passphrase: async () => 'open sesame' });
      expect(await echo(await context.open('n1', { transport, prompter }))).toBe('in');
      expect(prompter.asked).toEqual([{ host: 'n1', file: context.bed.path('locked'), attempt: 1 }]);
    });

    it('is asked again after a wrong one', async () => {
      const prompter = answering({
        passphrase: async ({ attempt }) => (attempt < 3 ? 'wrong' : 'open sesame'),
      });
      expect(await echo(await context.open('n1', { transport, prompter }))).toBe('in');
      expect(prompter.asked).toHaveLength(3);
    });

    it('is asked once while the process lives', async () => {
      const memory = createMemory();
      const prompter = answering({ passphrase: async () => 'open sesame' });
      for (let round = 0; round < 2; round++) await context.open('n1', { transport, prompter, memory });
      expect(prompter.asked).toHaveLength(1);
    });

    it('is not let in without one', async () => {
      const prompter = answering({});
      await expect(context.open('n1', { transport, prompter })).rejects.toMatchObject({ code: 'refused' });
      expect(prompter.asked).toHaveLength(1);
    });
  });

  it('is asked once for all connections, and not for a key that the host does not take', async () => {
    const { bed } = context;
    for (const name of ['locked', 'strange']) await bed.makeKey(name, 'open sesame');
    const client = ['strange', 'locked'].map((name) => `IdentityFile ${bed.path(name)}`);
    await bed.serve('n1', { client });
    await bed.serve('n2', { client });
    writeFileSync(bed.path('authorized_keys'), readFileSync(`${bed.path('locked')}.pub`));
    const memory = createMemory();
    const prompter = answering({ passphrase: async () => 'open sesame' });
    const both = await Promise.all(['n1', 'n2'].map((name) => context.open(name, { memory, prompter })));
    expect(both.map(({ transport }) => transport)).toEqual(['ssh2', 'ssh2']);
    await context.open('n1', { memory, prompter });
    expect(prompter.asked).toEqual([{ host: expect.any(String), file: bed.path('locked'), attempt: 1 }]);
  });

  it('is let in by a key of each type, open or locked', async () => {
    const { bed } = context;
    const server = await bed.serve('n1');
    const prompter = answering({ passphrase: async () => 'open sesame' });
    for (const type of ['rsa', 'ecdsa', 'ed25519']) {
      for (const passphrase of ['', 'open sesame']) {
        const name = `${type}-${passphrase.length}`;
        const key = await bed.makeKey(name, passphrase, type);
        writeFileSync(bed.path('authorized_keys'), readFileSync(`${key}.pub`));
        bed.configure(name, ['HostName 127.0.0.1', `Port ${server.port}`, `IdentityFile ${key}`]);
        expect(await echo(await context.open(name, { transport: 'ssh2', prompter }))).toBe('in');
      }
    }
    expect(prompter.asked).toHaveLength(3);
  });

  describe('by an agent', () => {
    let agent: ChildProcess;
    const socket = (): string => context.bed.path('agent');
    const add = (file: string): unknown =>
      execFileSync('ssh-add', ['-q', file], { env: { SSH_AUTH_SOCK: socket() }, stdio: 'ignore' });
    beforeEach(async () => {
      agent = spawn('ssh-agent', ['-D', '-a', socket()], { stdio: ['ignore', 'pipe', 'ignore'] });
      await once(agent.stdout as Readable, 'data');
    });
    afterEach(async () => {
      agent.kill();
      await once(agent, 'exit');
    });

    it.each(['rsa', 'ecdsa', 'ed25519'])(
      'is let in with a key of type %s that is nowhere else',
      async (type) => {
        const { bed } = context;
        const key = await bed.makeKey('held', '', type);
        add(key);
        rmSync(key);
        writeFileSync(bed.path('authorized_keys'), readFileSync(`${key}.pub`));
        await bed.serve('n1', { client: ['IdentityAgent SSH_AUTH_SOCK', `IdentityFile ${key}.pub`] });
        const env = { PATH: process.env.PATH, SSH_AUTH_SOCK: socket() };
        expect(await echo(await context.open('n1', { transport: 'ssh2', env }))).toBe('in');
      },
    );

    it('shows only the keys that IdentitiesOnly leaves', async () => {
      const { bed } = context;
      const keys = await Promise.all([1, 2, 3, 4].map((number) => bed.makeKey(`key${number}`)));
      for (const key of keys) add(key);
      const last = keys.at(-1) ?? '';
      writeFileSync(bed.path('authorized_keys'), readFileSync(`${last}.pub`));
      const client = [`IdentityAgent ${socket()}`, `IdentityFile ${last}`];
      await bed.serve('n1', { settings: ['MaxAuthTries 2'], client });
      expect(await echo(await context.open('n1', { transport: 'ssh2' }))).toBe('in');
      await bed.serve('n2', {
        settings: ['MaxAuthTries 2'],
        client: ['IdentitiesOnly no', ...client.slice(0, 1)],
      });
      await expect(context.open('n2', { transport: 'ssh2' })).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringMatching(/Too many authentication failures.*IdentitiesOnly yes/),
      });
      // One that is in a file, too, is shown once.
      await bed.serve('n3', { client: [...client.slice(0, 1), `IdentityFile ${keys[0]}`] });
      await expect(context.open('n3', { transport: 'ssh2' })).rejects.toMatchObject({
        message: expect.stringContaining(`It did not take key1 of the agent, ${bed.path('id')} (it takes`),
      });
    });
  });

  it('is not accepted: says what was tried and what to do', async () => {
    const { bed } = context;
    await bed.makeKey('locked', 'open sesame');
    await bed.makeKey('lax');
    chmodSync(bed.path('lax'), 0o644);
    const files = ['id', 'lax', 'missing'].map((name) => `IdentityFile ${bed.path(name)}`);
    const server = await bed.serve('n1', { client: [...files, `IdentityAgent ${bed.path('no-agent')}`] });
    writeFileSync(bed.path('authorized_keys'), '');
    const error = (await context.open('n1', { transport: 'ssh2' }).catch((caught) => caught)) as Error;
    expect(error).toMatchObject({ code: 'refused' });
    expect(error.message).toMatch(`root@127.0.0.1 port ${server.port} does not let us in`);
    expect(error.message).toContain(`It did not take ${bed.path('id')} (it takes publickey)`);
    expect(error.message).toContain(`Of no use: ${bed.path('lax')}: others can read it: chmod 600`);
    expect(error.message).toContain(`Of no use: the agent at ${bed.path('no-agent')}`);
    expect(error.message).toContain('ssh-copy-id n1');
    await expect(context.open('n1', { transport: 'system' })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('Permission denied (publickey)'),
    });
  });

  it('is told by a certificate: the system’s ssh is chosen', async () => {
    const { bed } = context;
    const ca = await bed.makeKey('ca');
    const key = await bed.makeKey('signed');
    sshKeygen('-q', '-s', ca, '-I', 'me', '-n', 'root', `${key}.pub`);
    writeFileSync(bed.path('authorized_keys'), '');
    await bed.serve('n1', { settings: [`TrustedUserCAKeys ${ca}.pub`], client: [`IdentityFile ${key}`] });
    const connection = await context.open('n1');
    expect(connection.transport).toBe('system');
    expect(await echo(connection)).toBe('in');
    await expect(context.open('n1', { transport: 'ssh2' })).rejects.toMatchObject({ code: 'refused' });
  });

  it('is told by a host that ssh2 has no algorithm for: the system’s ssh is chosen', async () => {
    const { bed } = context;
    await bed.serve('n1', { settings: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] });
    const connection = await context.open('n1');
    expect(connection.transport).toBe('system');
    expect(await echo(connection)).toBe('in');
    await expect(context.open('n1', { transport: 'ssh2' })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('use the transport system'),
    });
  });

  describe('by a password', () => {
    let server: InstanceType<typeof ssh2.Server>;
    /** What the server takes, in this order. */
    let takes: AuthenticationType[];
    let secret: string;
    beforeEach(async () => {
      secret = 'sesame';
      const { bed } = context;
      const key = await bed.makeKey('host-password');
      server = new ssh2.Server({ hostKeys: [readFileSync(key)] }, (client) => {
        client.on('error', () => {});
        client.on('authentication', (attempt) => {
          const isNext = attempt.method === takes[0];
          const accept = (): void => {
            takes.shift();
            if (takes.length === 0) attempt.accept();
            else attempt.reject(takes, true);
          };
          if (!isNext) attempt.reject(takes);
          else if (attempt.method === 'password') {
            if (attempt.password === secret) accept();
            else attempt.reject(takes);
          } else if (attempt.method === 'keyboard-interactive') {
            attempt.prompt([{ prompt: 'Code: ', echo: false }], 'Two', 'factors', (answers) => {
              if (answers[0] === '123456') accept();
              else attempt.reject(takes);
            });
          } else attempt.accept();
        });
        client.on('session', (acceptSession) => {
          acceptSession().on('exec', (acceptExec) => {
            const channel = acceptExec();
            channel.write('in\n');
            channel.exit(0);
            channel.end();
          });
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      bed.configure('n1', ['HostName 127.0.0.1', `Port ${port}`, 'StrictHostKeyChecking no']);
    });
    afterEach(() => {
      server.close();
    });

    it.each(transports)('is let in by %s, after a wrong one', async (transport) => {
      takes = ['password'];
      const prompter = answering({ password: async ({ attempt }) => (attempt === 1 ? 'guess' : 'sesame') });
      expect(await echo(await context.open('n1', { transport, prompter }))).toBe('in');
      expect(prompter.asked).toEqual([
        { host: 'n1', user: 'root', attempt: 1 },
        { host: 'n1', user: 'root', attempt: 2 },
      ]);
    });

    it.each(transports)(
      'is asked once while the process lives, and anew when it has changed, by %s',
      async (transport) => {
        const memory = createMemory();
        let password = 'sesame';
        const prompter = answering({ password: async () => password });
        for (let round = 0; round < 2; round++) {
          takes = ['password'];
          expect(await echo(await context.open('n1', { transport, prompter, memory }))).toBe('in');
        }
        expect(prompter.asked).toHaveLength(1);
        secret = 'new';
        password = 'wrong';
        takes = ['password'];
        await expect(context.open('n1', { transport, prompter, memory })).rejects.toMatchObject({
          code: 'refused',
        });
        expect(prompter.asked).toHaveLength(3);
        password = 'new';
        takes = ['password'];
        expect(await echo(await context.open('n1', { transport, prompter, memory }))).toBe('in');
        expect(prompter.asked).toEqual(
          [1, 2, 3, 1].map((attempt) => ({ host: 'n1', user: 'root', attempt })),
        );
      },
    );

    it.each(transports)('and an answer to its questions is let in by %s', async (transport) => {
      takes = ['keyboard-interactive', 'password'];
      const prompter = answering({
        password: async () => 'sesame',
        keyboardInteractive: async () => ['123456'],
      });
      expect(await echo(await context.open('n1', { transport, prompter }))).toBe('in');
      expect(prompter.asked).toContainEqual(
        expect.objectContaining({ prompts: [{ prompt: expect.stringContaining('Code: '), echo: false }] }),
      );
    });

    it.each(transports)('is not let in without one, by %s', async (transport) => {
      takes = ['keyboard-interactive', 'password'];
      const prompter = answering({});
      await expect(context.open('n1', { transport, prompter })).rejects.toMatchObject({ code: 'refused' });
      takes = ['password'];
      await expect(context.open('n1', { transport, prompter })).rejects.toMatchObject({ code: 'refused' });
    });

    it('has as much time as whoever is asked needs', async () => {
      takes = ['password'];
      const password = (): Promise<string> =>
        new Promise((resolve) => setTimeout(() => resolve('sesame'), 600));
      const prompter = answering({ password });
      expect(await echo(await context.open('n1', { prompter, connectTimeout: 0.5 }))).toBe('in');
    });
  });
});
