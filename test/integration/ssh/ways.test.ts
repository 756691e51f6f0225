/** How a host is reached: directly, through others, by a command, or not at all. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server as TcpServer } from 'node:net';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { echo } from './reading.ts';
import { hasSshd, transports, useBed } from './sshd.ts';

describe.skipIf(!hasSshd)('the way to a host', () => {
  const context = useBed();

  it.each(transports)('leads through a chain of jump hosts by %s', async (transport) => {
    const { bed } = context;
    const [first, second] = [await bed.serve('n1'), await bed.serve('n2', { client: ['ProxyJump n1'] })];
    const last = await bed.serve('n3', { client: ['ProxyJump n2'] });
    const connection = await context.open('n3', { transport });
    expect(await echo(connection)).toBe('in');
    expect([first, second, last].map((server) => server.connections().length)).toEqual([1, 1, 1]);
    second.killConnections();
    expect(await connection.ended).toMatch(/closed|broken/i);
    await expect(connection.exec('true')).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('goes by the list of jump hosts, with a user and a port for each', async () => {
    const { bed } = context;
    const first = await bed.serve('n1');
    const second = await bed.serve('n2');
    await bed.serve('n3', { client: [`ProxyJump root@127.0.0.1:${first.port},n2`] });
    expect(await echo(await context.open('n3'))).toBe('in');
    expect([first, second].map((server) => server.connections().length)).toEqual([1, 1]);
  });

  it('says which jump host fails', async () => {
    const { bed } = context;
    await bed.serve('n1');
    bed.configure('n2', ['HostName 127.0.0.1', 'Port 1', 'ProxyJump n1']);
    bed.configure('n3', ['HostName 127.0.0.1', 'Port 2', 'ProxyJump n2']);
    await expect(context.open('n3')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^n1 does not connect us to 127\.0\.0\.1 port 1: .*Connection refused/),
    });
    bed.configure('a', ['ProxyJump b']);
    bed.configure('b', ['ProxyJump a']);
    await expect(context.open('a')).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('a → b → a'),
    });
  });

  it.each(transports)('is a ProxyCommand by %s', async (transport) => {
    const { bed } = context;
    const relay = `bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & exec cat >&3'`;
    await bed.serve('n1', { client: [`ProxyCommand ${relay}`] });
    expect(await echo(await context.open('n1', { transport }))).toBe('in');
    bed.configure('bad', ['ProxyCommand sh -c "echo no way >&2; exit 3"']);
    await expect(context.open('bad', { transport })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(transport === 'ssh2' ? 'has ended with 3: no way' : ''),
    });
  });

  it('says what is wrong with the network', async () => {
    const { bed } = context;
    bed.configure('closed', ['HostName 127.0.0.1', 'Port 1']);
    bed.configure('nameless', ['HostName nowhere.invalid']);
    for (const transport of transports) {
      const failure = (target: string): Promise<unknown> =>
        context.open(target, { transport }).catch((error) => error);
      expect(await failure('closed')).toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(/listens|refused/),
      });
      expect(await failure('nameless')).toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(/not known|resolve/),
      });
    }
  });

  describe('to something silent', () => {
    let silent: TcpServer;
    beforeEach(async () => {
      silent = createServer(() => {}).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const { port } = silent.address() as { port: number };
      context.bed.configure('silent', ['HostName 127.0.0.1', `Port ${port}`]);
    });
    afterEach(() => {
      silent.close();
    });

    it.each(transports)('ends at the time limit by %s', async (transport) => {
      await expect(context.open('silent', { transport, connectTimeout: 0.2 })).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('within 0.2 s'),
      });
    });

    it('ends at the time limit behind a jump host that says nothing of it', async () => {
      const { bed } = context;
      const key = readFileSync(await bed.makeKey('host-jump'));
      const jump = new ssh2.Server({ hostKeys: [key] }, (client) => {
        client.on('error', () => {});
        client.on('authentication', (attempt) => attempt.accept());
        client.on('tcpip', () => {});
      });
      await new Promise<void>((resolve) => jump.listen(0, '127.0.0.1', resolve));
      const { port } = jump.address() as { port: number };
      bed.configure('jump', ['HostName 127.0.0.1', `Port ${port}`, 'StrictHostKeyChecking no']);
      bed.configure('behind', ['ProxyJump jump']);
      await expect(context.open('behind', { transport: 'ssh2', connectTimeout: 0.3 })).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(/^behind .*no answer within 0\.3 s/),
      });
      jump.close();
    });

    it.each(transports)('can be called off by %s', async (transport) => {
      const controller = new AbortController();
      const opening = context.open('silent', { transport, signal: controller.signal });
      await once(silent, 'connection');
      controller.abort(new Error('never mind'));
      await expect(opening).rejects.toThrow('never mind');
    });
  });
});
