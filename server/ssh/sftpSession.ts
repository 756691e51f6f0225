/** Requests and answers on an SFTP channel: many may be under way, each answer names its request. */
import { VbatchError } from '../protocol/errors.ts';
import type { SshChannel } from './channel.ts';
import { type Later, later } from './later.ts';
import { codeOf, SftpError } from './sftpError.ts';
import { answers, type RequestName, requests } from './sftpWire.ts';
import { byte, FieldReader, MessageSplitter, string, uint32 } from './wire.ts';

/** An answer that is not an error. */
export interface Answer {
  kind: 'ok' | 'end' | 'handle' | 'data' | 'names' | 'attributes' | 'extended';
  fields: FieldReader;
}

interface Waiting extends Later<Answer> {
  operation: string;
  path: string;
}

/** No server sends more in one message. */
const longestMessage = 1024 * 1024;

/** How the first message begins, after its length: its type, and version 3. */
const versionHead = Buffer.concat([byte(answers.version), uint32(3)]);
const sizeOfLength = 4;

export class SftpSession {
  private readonly splitter = new MessageSplitter(longestMessage);
  private readonly waiting = new Map<number, Waiting>();
  private readonly greeted = later<void>();
  private readonly ending = later<void>();
  /** Resolves when nothing more can be asked, before anybody who has asked is told. Never rejects. */
  readonly ended = this.ending.promise;
  /** What has come before the first message; null once that has come. */
  private preamble: Buffer | null = Buffer.alloc(0);
  private nextId = 0;
  /** Why nothing more can be asked. */
  private over: Error | null = null;
  private readonly extensions = new Set<string>();

  constructor(
    private readonly channel: SshChannel,
    private readonly name: string,
  ) {
    // Whoever asks for something while it ends is told by the answer.
    this.greeted.promise.catch(() => {});
    channel.stdout.on('data', (data: Buffer) => this.receive(data));
    channel.stdout.on('end', () => this.end('its SFTP server has ended'));
    void channel.closed.then(() => this.end('its SFTP server has ended'));
    channel.exit.catch((error: Error) => this.fail(error));
  }

  /** Agrees on version 3. */
  async start(): Promise<void> {
    this.send(Buffer.concat([byte(requests.init), uint32(3)]));
    return this.greeted.promise;
  }

  /** Whether the server knows an addition to the protocol. */
  knows(extension: string): boolean {
    return this.extensions.has(extension);
  }

  /** Asks for something; `path` is for messages. Throws SftpError, or `unreachable` where the session is over. */
  ask(request: RequestName, path: string, ...fields: Buffer[]): Promise<Answer> {
    return this.pose(request, request, path, fields);
  }

  /** Asks for one of OpenSSH's additions. */
  extended(extension: string, path: string, ...fields: Buffer[]): Promise<Answer> {
    return this.pose('extended', extension.replace(/@.*/, ''), path, [string(extension), ...fields]);
  }

  private pose(request: RequestName, operation: string, path: string, fields: Buffer[]): Promise<Answer> {
    if (this.over !== null) return Promise.reject(this.over);
    const id = this.nextId;
    this.nextId = (this.nextId + 1) >>> 0;
    const answer = later<Answer>();
    this.waiting.set(id, { ...answer, operation, path });
    this.send(Buffer.concat([byte(requests[request]), uint32(id), ...fields]));
    return answer.promise;
  }

  private send(message: Buffer): void {
    this.channel.stdin.write(string(message));
  }

  private receive(data: Buffer): void {
    try {
      const messages = this.preamble === null ? data : this.afterPreamble(data);
      for (const message of this.splitter.add(messages)) this.take(new FieldReader(message));
    } catch (error) {
      this.end(`its SFTP server cannot be understood: ${(error as Error).message}`);
      this.channel.close();
    }
  }

  /**
   * What follows the text that the host's start-up files print before its SFTP server begins: sshd runs
   * that server by the user's shell, and every other client gives up here.
   */
  private afterPreamble(data: Buffer): Buffer {
    const bytes = Buffer.concat([this.preamble ?? Buffer.alloc(0), data]);
    const at = bytes.indexOf(versionHead);
    if (at < sizeOfLength) {
      if (bytes.length > longestMessage) throw new Error('it does not begin with its version');
      this.preamble = bytes;
      return Buffer.alloc(0);
    }
    this.preamble = null;
    return bytes.subarray(at - sizeOfLength);
  }

  private take(fields: FieldReader): void {
    const type = fields.byte();
    if (type === answers.version) {
      fields.uint32();
      while (fields.left > 0) {
        this.extensions.add(fields.text());
        fields.string();
      }
      this.greeted.resolve();
      return;
    }
    const id = fields.uint32();
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    switch (type) {
      case answers.status:
        this.takeStatus(fields, waiting);
        return;
      case answers.handle:
        waiting.resolve({ kind: 'handle', fields });
        return;
      case answers.data:
        waiting.resolve({ kind: 'data', fields });
        return;
      case answers.name:
        waiting.resolve({ kind: 'names', fields });
        return;
      case answers.attributes:
        waiting.resolve({ kind: 'attributes', fields });
        return;
      case answers.extended:
        waiting.resolve({ kind: 'extended', fields });
        return;
      default:
        throw new Error(`it has sent a message of type ${type}`);
    }
  }

  private takeStatus(fields: FieldReader, { operation, path, resolve, reject }: Waiting): void {
    const status = fields.uint32();
    const code = codeOf(status);
    if (code === null) resolve({ kind: status === 0 ? 'ok' : 'end', fields });
    else reject(new SftpError(code, operation, path, fields.left > 0 ? fields.text() : code));
  }

  private end(why: string): void {
    this.fail(new VbatchError('unreachable', `The files of ${this.name} are out of reach: ${why}.`));
  }

  /** The first reason counts. */
  private fail(error: Error): void {
    this.over ??= error;
    this.ending.resolve();
    this.greeted.reject(this.over);
    for (const { reject } of this.waiting.values()) reject(this.over);
    this.waiting.clear();
  }
}
