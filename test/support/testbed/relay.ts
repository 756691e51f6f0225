/** A long way to a host: a relay on loopback that holds back what passes. */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

export interface RelayOptions {
  readonly host: string;
  /** 22 by default. */
  readonly port?: number;
  /** How long a byte is on its way, in milliseconds: half a round trip. 25 by default. */
  readonly delay?: number;
}

/** What may be on its way in one direction. More than fast lines have in 25 ms, so it does not slow them. */
const capacity = 64 * 1024 * 1024;

/**
 * Listens on 127.0.0.1 and carries every connection on to a host. The host's first byte arrives as late as over a
 * real line, after the handshake of TCP; only `connect` itself succeeds at once.
 */
export class Relay {
  private readonly connections = new Set<Connection>();
  private stalled = false;

  private constructor(
    private readonly server: Server,
    private readonly target: Required<RelayOptions>,
  ) {
    server.on('connection', (client) => this.accept(client));
  }

  static async start({ host, port = 22, delay = 25 }: RelayOptions): Promise<Relay> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const relay = new Relay(server, { host, port, delay });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return relay;
  }

  /** Its port on 127.0.0.1. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on nothing arrives, in both directions, and nothing is lost. New connections wait too. */
  stall(): void {
    this.stalled = true;
    for (const connection of this.connections) connection.stall();
  }

  resume(): void {
    this.stalled = false;
    for (const connection of this.connections) connection.resume();
  }

  /** Resets all connections, on both sides at once. New ones are carried. */
  cut(): void {
    for (const connection of this.connections) connection.cut();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    const connection = new Connection(client, this.target, () => this.connections.delete(connection));
    this.connections.add(connection);
    if (this.stalled) connection.stall();
  }
}

class Connection {
  private readonly server: Socket;
  private readonly lanes: readonly Lane[];

  constructor(
    private readonly client: Socket,
    { host, port, delay }: Required<RelayOptions>,
    onEnd: () => void,
  ) {
    this.server = createConnection({ host, port, allowHalfOpen: true, noDelay: true });
    // The handshake: the client may speak when SYN and its answer have passed, the host one way later.
    this.lanes = [
      new Lane(client, this.server, delay, 2 * delay),
      new Lane(this.server, client, delay, 3 * delay),
    ];
    for (const side of [client, this.server]) side.on('error', () => this.cut());
    let open = 2;
    for (const side of [client, this.server]) side.on('close', () => --open === 0 && onEnd());
  }

  stall(): void {
    for (const lane of this.lanes) lane.stall();
  }

  resume(): void {
    for (const lane of this.lanes) lane.resume();
  }

  cut(): void {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }
}

/** One direction of a connection: a queue in which everything stays for its time. */
class Lane {
  /** Null is the end of the stream. */
  private readonly queue: { due: number; bytes: Buffer | null }[] = [];
  private held = 0;
  private stalled = false;
  private timer: NodeJS.Timeout | undefined;

  /** What comes before `handshake` is over counts as sent at its end. Both times are in milliseconds. */
  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    delay: number,
    handshake: number,
  ) {
    const open = performance.now() + handshake;
    const take = (bytes: Buffer | null) => {
      this.queue.push({ due: Math.max(open, performance.now()) + delay, bytes });
      this.held += bytes?.length ?? 0;
      if (this.held > capacity) from.pause();
      this.give();
    };
    from.on('data', take);
    from.on('end', () => take(null));
    to.on('drain', () => this.give());
    to.on('close', () => {
      clearTimeout(this.timer);
      this.queue.length = 0;
    });
  }

  stall(): void {
    this.stalled = true;
  }

  resume(): void {
    this.stalled = false;
    this.give();
  }

  /** Passes on what is due, and comes back for the rest. */
  private give(): void {
    clearTimeout(this.timer);
    for (;;) {
      const [next] = this.queue;
      if (!next || this.stalled || this.to.writableNeedDrain) return;
      const wait = next.due - performance.now();
      if (wait > 0) {
        this.timer = setTimeout(() => this.give(), Math.ceil(wait));
        return;
      }
      this.queue.shift();
      if (next.bytes === null) {
        this.to.end();
      } else {
        this.held -= next.bytes.length;
        this.to.write(next.bytes);
        if (this.held <= capacity) this.from.resume();
      }
    }
  }
}
