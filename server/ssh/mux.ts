/**
 * Channels through OpenSSH's own client: its ControlMaster hands the channel protocol (RFC 4254, sections 5
 * and 6) on to whoever asks for it at its socket, in clear and with its numbers translated. See "proxy" in
 * OpenSSH's PROTOCOL.mux. So one ssh process serves all channels, with sizes of terminals and signals.
 */
import { createConnection, type Socket } from 'node:net';
import { encodeBytes } from '../protocol/bytes.ts';
import { type ChannelRequest, drainUnread } from './channel.ts';
import { type Later, later } from './later.ts';
import { MuxChannel, packetSize, windowSize } from './muxChannel.ts';
import { messages } from './muxMessages.ts';
import { byte, FieldReader, MessageSplitter, string, uint32 } from './wire.ts';

const hello = 0x00000001;
const version = 4;
const proxyRequest = 0x1000000f;
const proxyReply = 0x8000000f;
/** No message is longer than a packet and its frame. */
const longestMessage = 1024 * 1024;

/** Why a channel was not opened, or null where the channel was opened and its command refused. */
export class ChannelFailure extends Error {
  constructor(
    readonly reason: number | null,
    description: string,
  ) {
    super(description);
  }
}

/** The channels of one ControlMaster. */
export class Mux {
  private readonly splitter = new MessageSplitter(longestMessage);
  private readonly channels = new Map<number, MuxChannel>();
  private readonly opening = new Map<number, Later<MuxChannel>>();
  private readonly greeted = later<void>();
  private isProxy = false;
  private nextId = 0;

  private constructor(
    private readonly socket: Socket,
    onEnd: () => void,
  ) {
    socket.on('data', (data: Buffer) => this.receive(data));
    socket.on('error', (error) => this.greeted.reject(error));
    socket.on('close', () => {
      this.greeted.reject(new Error('the ssh process has closed its socket'));
      onEnd();
    });
  }

  /** Connects to a ControlMaster's socket; `onEnd` is called when that closes. */
  static async connect(path: string, onEnd: () => void): Promise<Mux> {
    const mux = new Mux(createConnection(path), onEnd);
    mux.socket.write(string(Buffer.concat([uint32(hello), uint32(version)])));
    mux.socket.write(string(Buffer.concat([uint32(proxyRequest), uint32(0)])));
    await mux.greeted.promise;
    return mux;
  }

  close(): void {
    this.socket.destroy();
  }

  /** Opens a session channel and starts something on it. Throws ChannelFailure. */
  async open(request: ChannelRequest): Promise<MuxChannel> {
    const channel = await this.start(request);
    // Not before somebody gets the channel: by now all may be there that the command has to say.
    drainUnread(channel.stderr);
    return channel;
  }

  private async start(request: ChannelRequest): Promise<MuxChannel> {
    const id = this.nextId++;
    const opened = later<MuxChannel>();
    this.opening.set(id, opened);
    this.send(messages.open, string('session'), uint32(id), uint32(windowSize), uint32(packetSize));
    const channel = await opened.promise;
    const failed = (what: string): ChannelFailure => {
      channel.close();
      return new ChannelFailure(null, what);
    };
    if ('subsystem' in request) {
      if (!(await channel.request('subsystem', string(request.subsystem)))) throw failed('no such subsystem');
      return channel;
    }
    const { terminal } = request;
    if (terminal) {
      const size = [uint32(terminal.cols), uint32(terminal.rows), uint32(0), uint32(0)];
      // No modes are set: they end with the opcode 0.
      const granted = await channel.request('pty-req', string(terminal.term), ...size, string(byte(0)));
      if (!granted) throw failed('no terminal');
    }
    if (!(await channel.request('exec', string(encodeBytes(request.command))))) throw failed('no command');
    return channel;
  }

  private send(type: number, ...fields: Buffer[]): void {
    // After the length comes that of the padding: none.
    if (this.socket.writable) this.socket.write(string(Buffer.concat([byte(0), byte(type), ...fields])));
  }

  private receive(data: Buffer): void {
    try {
      for (const message of this.splitter.add(data)) {
        if (this.isProxy) this.take(new FieldReader(message));
        else this.greet(new FieldReader(message));
      }
    } catch (error) {
      this.socket.destroy(error as Error);
    }
  }

  private greet(fields: FieldReader): void {
    const type = fields.uint32();
    if (type === hello) return;
    if (type !== proxyReply)
      throw new Error('this ssh does not hand its channels on; OpenSSH 7.4 or newer does');
    this.isProxy = true;
    this.greeted.resolve();
  }

  private take(fields: FieldReader): void {
    fields.byte();
    const type = fields.byte();
    if (type < messages.open) return;
    const id = fields.uint32();
    const opening = this.opening.get(id);
    this.opening.delete(id);
    if (type === messages.openConfirmation && opening) {
      const channel = new MuxChannel(
        fields.uint32(),
        fields.uint32(),
        fields.uint32(),
        (kind, ...parts) => this.send(kind, ...parts),
        () => this.channels.delete(id),
      );
      this.channels.set(id, channel);
      opening.resolve(channel);
    } else if (type === messages.openFailure && opening) {
      opening.reject(new ChannelFailure(fields.uint32(), fields.text()));
    } else {
      this.channels.get(id)?.take(type, fields);
    }
  }

  /** Ends everything that is open or being opened, when the connection is over. */
  abandon(error: Error): void {
    for (const { reject } of this.opening.values()) reject(error);
    this.opening.clear();
    for (const channel of this.channels.values()) channel.abandon(error);
    this.channels.clear();
  }
}
