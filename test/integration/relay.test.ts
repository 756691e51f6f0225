/** The relay that makes a host far away, between two sockets of this machine. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Relay } from '../support/testbed/relay.ts';

const delay = 25;

describe('a relay', () => {
  let server: Server;
  let relay: Relay;

  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true, noDelay: true });
    server.on('connection', (socket) => socket.on('error', () => {}));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    relay = await Relay.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, delay });
  });

  afterEach(async () => {
    await relay.close();
    server.close();
  });

  /** Both ends of a connection through the relay. */
  async function connect(): Promise<[client: Socket, host: Socket]> {
    const come = once(server, 'connection') as Promise<[Socket]>;
    const client = createConnection({
      port: relay.port,
      host: '127.0.0.1',
      allowHalfOpen: true,
      noDelay: true,
    });
    client.on('error', () => {});
    return [client, (await come)[0]];
  }

  async function timed(work: Promise<unknown>): Promise<number> {
    const start = performance.now();
    await work;
    return performance.now() - start;
  }

  it('delivers the first word of a host after the handshake', async () => {
    const start = performance.now();
    const [client, host] = await connect();
    host.write('SSH-2.0-');
    await once(client, 'data');
    expect(performance.now() - start).toBeGreaterThanOrEqual(4 * delay - 1);
  });

  it('delays both directions, and each byte once', async () => {
    const [client, host] = await connect();
    host.on('data', (bytes: Buffer) => host.write(bytes));
    client.write('warm-up');
    await once(client, 'data');
    const trips: number[] = [];
    for (let i = 0; i < 5; i++) {
      client.write(`${i}`);
      trips.push(await timed(once(client, 'data')));
    }
    expect(Math.min(...trips)).toBeGreaterThanOrEqual(2 * delay - 1);
    expect(Math.min(...trips)).toBeLessThan(3 * delay);
  });

  it('carries much at once, complete and in order, to the end of the stream and no further', async () => {
    const [client, host] = await connect();
    const bytes = randomBytes(32 * 1024 * 1024);
    const hash = createHash('sha256');
    host.on('data', (part: Buffer) => hash.update(part));
    client.end(bytes);
    const time = await timed(once(host, 'end'));
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    // One write a round trip would take 25 s.
    expect(time).toBeLessThan(2000);
    // The other direction is still open.
    host.end('goodbye');
    expect(String((await once(client, 'data'))[0])).toBe('goodbye');
    await once(client, 'close');
  });

  it('loses nothing while it stalls', async () => {
    const [client, host] = await connect();
    relay.stall();
    let heard = '';
    host.setEncoding('utf8').on('data', (text: string) => (heard += text));
    client.write('before');
    const [laterClient, laterHost] = await connect();
    laterClient.write('me too');
    // All that was due has been looked at when a timer of four ways has run out.
    await new Promise((resolve) => setTimeout(resolve, 4 * delay));
    expect(heard).toBe('');
    const second = once(laterHost, 'data');
    relay.resume();
    await expect.poll(() => heard).toBe('before');
    expect(String((await second)[0])).toBe('me too');
  });

  it('cuts connections on both sides, and carries new ones', async () => {
    const [client, host] = await connect();
    const errors = Promise.all([client, host].map((side) => once(side, 'error')));
    relay.cut();
    expect(await errors).toMatchObject([[{ code: 'ECONNRESET' }], [{ code: 'ECONNRESET' }]]);
    const [again, there] = await connect();
    again.write('again');
    expect(String((await once(there, 'data'))[0])).toBe('again');
  });

  it('resets clients of a host that does not listen', async () => {
    await new Promise((resolve) => server.close(resolve));
    const client = createConnection({ port: relay.port, host: '127.0.0.1' });
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });
});
