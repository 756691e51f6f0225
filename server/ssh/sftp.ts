/**
 * Files of a host, over SFTP. Our own, because paths are bytes (server/protocol/bytes.ts) and both
 * transports need one. Paths that are not absolute begin in the user's home folder.
 */
import { randomBytes } from 'node:crypto';
import { encodeBytes } from '../protocol/bytes.ts';
import type { SshChannel } from './channel.ts';
import { SftpError } from './sftpError.ts';
import { type Answer, SftpSession } from './sftpSession.ts';
import { attributes, type FileStatus, type OpenFlags, openMode, readNames, readStatus } from './sftpWire.ts';
import { string, uint32, uint64 } from './wire.ts';

export type { FileStatus, OpenFlags } from './sftpWire.ts';

/** A file that is open on the host. */
export interface FileHandle {
  readonly bytes: Buffer;
  /** For messages. */
  readonly path: string;
}

/** Every server takes this much in one message. Bytes. */
const chunk = 32 * 1024;
/** How many chunks of one file are under way at once: 2 MiB, enough for 100 MB/s at 20 ms. */
const window = 64;
const firstWindow = 4;

/**
 * Failures are SftpError with a code such as `ENOENT`; a lost connection is `unreachable`.
 */
export class SftpClient {
  private constructor(private readonly session: SftpSession) {}

  /** Starts a session on a channel with the subsystem `sftp`. `name` is the host's. */
  static async start(channel: SshChannel, name: string): Promise<SftpClient> {
    const session = new SftpSession(channel, name);
    await session.start();
    return new SftpClient(session);
  }

  /** Resolves when the session is over, before anybody who waits for an answer is told. Never rejects. */
  get ended(): Promise<void> {
    return this.session.ended;
  }

  /** `mode` counts for a file that is made; the host's umask is taken off it. */
  async open(path: string, flags: OpenFlags, mode = 0o644): Promise<FileHandle> {
    try {
      const answer = await this.session.ask(
        'open',
        path,
        name(path),
        uint32(openMode(flags)),
        attributes(flags.startsWith('r') ? undefined : mode),
      );
      return { bytes: Buffer.from(answer.fields.string()), path };
    } catch (error) {
      if (flags === 'wx' && isVague(error) && (await this.exists(path))) {
        throw new SftpError('EEXIST', 'open', path, 'it exists already');
      }
      throw await this.explained(error, path);
    }
  }

  async close(handle: FileHandle): Promise<void> {
    await this.session.ask('close', handle.path, string(handle.bytes));
  }

  /** Up to `length` bytes from `offset`; shorter only at the end of the file. */
  async read(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    /** Where the file was seen to end; nothing from there on is asked for. */
    let end = length;
    await inChunks(
      () => end,
      async (from, wanted) => {
        const part = await this.readFully(handle, offset + from, wanted);
        parts[from / chunk] = part;
        if (part.length < wanted) end = Math.min(end, from + part.length);
      },
    );
    // A file that grows meanwhile may give more behind its end: what follows a short part is dropped.
    return Buffer.concat(parts.slice(0, Math.ceil(end / chunk))).subarray(0, end);
  }

  /** A server may give less than asked for where there is more. */
  private async readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let got = 0;
    while (got < length) {
      const bytes = await this.readOnce(handle, offset + got, length - got);
      if (bytes.length === 0) break;
      parts.push(bytes);
      got += bytes.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Up to `length` bytes, and no more than 32 KiB, from `offset`; none only at the end of the file. */
  async readOnce(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
    const position = [uint64(offset), uint32(length)];
    const answer = await this.session.ask('read', handle.path, string(handle.bytes), ...position);
    return answer.kind === 'data' ? answer.fields.string() : Buffer.alloc(0);
  }

  /** Writes all of it. */
  async write(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    try {
      await inChunks(
        () => whole.length,
        async (from, length) => {
          const part = string(whole.subarray(from, from + length));
          await this.session.ask('write', handle.path, string(handle.bytes), uint64(offset + from), part);
        },
      );
    } catch (error) {
      throw await this.explained(error, handle.path);
    }
  }

  async fstat(handle: FileHandle): Promise<FileStatus> {
    return readStatus((await this.session.ask('fstat', handle.path, string(handle.bytes))).fields);
  }

  /** Follows links. */
  async stat(path: string): Promise<FileStatus> {
    return readStatus((await this.session.ask('stat', path, name(path))).fields);
  }

  async lstat(path: string): Promise<FileStatus> {
    return readStatus((await this.session.ask('lstat', path, name(path))).fields);
  }

  /** What is in a folder, in no order, without `.` and `..`. The status is that of `lstat`. */
  async readdir(path: string): Promise<{ name: string; status: FileStatus }[]> {
    const opened = await this.session.ask('opendir', path, name(path));
    const handle: FileHandle = { bytes: Buffer.from(opened.fields.string()), path };
    const entries: { name: string; status: FileStatus }[] = [];
    try {
      for (;;) {
        const answer: Answer = await this.session.ask('readdir', path, string(handle.bytes));
        if (answer.kind !== 'names') break;
        entries.push(...readNames(answer.fields));
      }
    } finally {
      await this.close(handle);
    }
    return entries.filter((entry) => entry.name !== '.' && entry.name !== '..');
  }

  async mkdir(path: string, mode = 0o755): Promise<void> {
    try {
      await this.session.ask('mkdir', path, name(path), attributes(mode));
    } catch (error) {
      if (isVague(error) && (await this.exists(path))) {
        throw new SftpError('EEXIST', 'mkdir', path, 'it exists already');
      }
      throw await this.explained(error, path);
    }
  }

  /** Makes a folder and those above it, as far as they are missing. `mode` is for all that are made. */
  async mkdirs(path: string, mode = 0o755): Promise<void> {
    try {
      await this.mkdir(path, mode);
    } catch (error) {
      if (!(error instanceof SftpError)) throw error;
      const above = parent(path);
      if (error.code === 'ENOENT' && above !== null) {
        await this.mkdirs(above, mode);
        await this.mkdirs(path, mode);
      } else if (error.code !== 'EEXIST' || (await this.stat(path)).type !== 'folder') {
        throw error;
      }
    }
  }

  /** Takes the place of what is there, at once, as rename(2) does. */
  async rename(from: string, to: string): Promise<void> {
    const extension = 'posix-rename@openssh.com';
    try {
      if (this.session.knows(extension)) await this.session.extended(extension, to, name(from), name(to));
      // Other servers refuse where `to` exists.
      else await this.session.ask('rename', to, name(from), name(to));
    } catch (error) {
      throw await this.explained(error, to);
    }
  }

  async unlink(path: string): Promise<void> {
    await this.session.ask('remove', path, name(path));
  }

  async rmdir(path: string): Promise<void> {
    await this.session.ask('rmdir', path, name(path));
  }

  async chmod(path: string, mode: number): Promise<void> {
    await this.session.ask('setstat', path, name(path), attributes(mode));
  }

  /** Makes `path` a link to `target`. */
  async symlink(target: string, path: string): Promise<void> {
    // OpenSSH takes them in this order, against the draft, and all others follow it.
    await this.session.ask('symlink', path, name(target), name(path));
  }

  async readlink(path: string): Promise<string> {
    return this.onlyName(await this.session.ask('readlink', path, name(path)), path);
  }

  /** The absolute path; `.` gives the home folder. */
  async realpath(path: string): Promise<string> {
    return this.onlyName(await this.session.ask('realpath', path, name(path)), path);
  }

  /** Up to `length` bytes of a file from `offset`; shorter only at its end. */
  async readRange(path: string, offset: number, length: number): Promise<Buffer> {
    const handle = await this.open(path, 'r');
    try {
      const wanted = Math.min(length, chunk);
      // Most files are small: with its size, which is asked for in the same go, a short answer is known to be whole.
      const [first, { size }] = await Promise.all([
        this.readOnce(handle, offset, wanted),
        this.fstat(handle),
      ]);
      if (first.length === wanted ? length === wanted : offset + first.length === size) return first;
      const rest = await this.read(handle, offset + first.length, length - first.length);
      return Buffer.concat([first, rest]);
    } finally {
      // Nobody needs to wait for that, which fails only with the connection.
      this.close(handle).catch(() => {});
    }
  }

  /** A whole file. Throws EINVAL where it holds more than `max` bytes. */
  async readWhole(path: string, max: number): Promise<Buffer> {
    const bytes = await this.readRange(path, 0, max + 1);
    if (bytes.length > max) throw new SftpError('EINVAL', 'read', path, `it holds more than ${max} bytes`);
    return bytes;
  }

  /** Puts a file in its place at once, whole or not at all, with exactly this mode. */
  async writeWhole(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
    const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
    const handle = await this.open(temporary, 'wx', mode);
    try {
      // In one go: the server takes them in this order.
      const steps = await Promise.allSettled([
        this.write(handle, 0, bytes),
        this.session.ask('fsetstat', path, string(handle.bytes), attributes(mode)),
      ]);
      await this.close(handle);
      for (const step of steps) if (step.status === 'rejected') throw step.reason;
      await this.rename(temporary, path);
    } catch (error) {
      await this.unlink(temporary).catch(() => {});
      throw error;
    }
  }

  private async exists(path: string): Promise<boolean> {
    return this.lstat(path).then(
      () => true,
      () => false,
    );
  }

  /** SFTP has no word for a full disk: where something fails without a reason, it is looked for. */
  private async explained(error: unknown, path: string): Promise<unknown> {
    const extension = 'statvfs@openssh.com';
    if (!isVague(error) || !this.session.knows(extension)) return error;
    const place = parent(path) ?? path;
    const answer = await this.session.extended(extension, place, name(place)).catch(() => null);
    if (answer === null) return error;
    const { fields } = answer;
    // f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_favail.
    const [, , , , blocks = 1, files = 0, , freeFiles = 1] = Array.from({ length: 8 }, () => fields.uint64());
    if (blocks === 0) return new SftpError('ENOSPC', error.operation, path, 'no space is left on the disk');
    // File systems that do not count their files say that there are none.
    if (files > 0 && freeFiles === 0) {
      return new SftpError('ENOSPC', error.operation, path, 'no further file fits on the disk (inodes)');
    }
    return error;
  }

  private onlyName(answer: Answer, path: string): string {
    const [only] = readNames(answer.fields);
    if (!only) throw new SftpError('ENOENT', 'realpath', path, 'no such file');
    return only.name;
  }
}

/**
 * Does something for each chunk up to `end()`, many at once: few at first, so that a small file costs few
 * messages. Settles when none is under way any more; throws what the first of them has thrown.
 */
function inChunks(end: () => number, act: (from: number, length: number) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let underWay = 0;
    let allowed = firstWindow;
    const failures: unknown[] = [];
    const proceed = (): void => {
      while (failures.length === 0 && underWay < allowed && next < end()) {
        const from = next;
        next += chunk;
        underWay += 1;
        act(from, Math.min(chunk, end() - from)).then(
          () => settled(),
          (error: unknown) => {
            failures.push(error);
            settled();
          },
        );
      }
      if (underWay > 0) return;
      if (failures.length === 0) resolve();
      else reject(failures[0]);
    };
    const settled = (): void => {
      underWay -= 1;
      allowed = Math.min(window, allowed + 1);
      proceed();
    };
    proceed();
  });
}

/** "Failure": the host knows more than it says. */
function isVague(error: unknown): error is SftpError {
  return error instanceof SftpError && error.code === 'EIO';
}

function name(path: string): Buffer {
  return string(encodeBytes(path));
}

/** The folder above, or null for the root and for a name alone. */
function parent(path: string): string | null {
  const at = path.replace(/\/+$/, '').lastIndexOf('/');
  return at < 0 ? null : at === 0 ? (path.length > 1 ? '/' : null) : path.slice(0, at);
}
