/** What a connection does, whichever program speaks SSH for us. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConnectOptions, connect, type SshConnection } from '../../../server/ssh/connection.ts';
import { SftpClient } from '../../../server/ssh/sftp.ts';
import type { SftpError } from '../../../server/ssh/sftpError.ts';
import { bytesOf, finish, shows } from './reading.ts';
import { hasSshd, SshBed, type Sshd, transports } from './sshd.ts';

/** Bytes of which no two blocks are alike, so that one in a wrong place is noticed. */
const pattern = (length: number): Buffer => {
  const bytes = Buffer.alloc(length, randomBytes(65_537));
  for (let at = 0; at + 4 <= length; at += 4_096) bytes.writeUInt32BE(at, at);
  return bytes;
};
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(!hasSshd).each(transports)('a connection by %s', (transport) => {
  let bed: SshBed;
  let server: Sshd;
  let connection: SshConnection;
  const open = (more: Partial<ConnectOptions> = {}): Promise<SshConnection> =>
    connect('host', bed.options({ transport, ...more }));

  beforeAll(async () => {
    bed = await SshBed.open();
    server = await bed.serve('host', {
      settings: ['MaxSessions 4', 'Subsystem sftp /usr/lib/openssh/sftp-server'],
    });
    connection = await open();
  });
  afterAll(async () => {
    connection?.close();
    await bed?.dispose();
  });

  it('tells the name of the host’s sshd', () => {
    expect(connection.transport).toBe(transport);
    expect(connection.serverVersion).toMatch(/^OpenSSH_\d/);
  });

  describe('commands', () => {
    it('gives stdout, stderr and the exit code', async () => {
      const channel = await connection.exec('echo out; echo err >&2; exit 3');
      expect(await finish(channel)).toEqual({ out: 'out\n', err: 'err\n', code: 3, signal: null });
      await channel.closed;
    });

    it('tells how a command ended whose whole answer came at once, while this process was busy', async () => {
      const pause = new Int32Array(new SharedArrayBuffer(4));
      const busy = setInterval(() => Atomics.wait(pause, 0, 0, 50), 0);
      try {
        const channel = await connection.exec('echo out; echo err >&2; exit 4');
        expect(await finish(channel)).toEqual({ out: 'out\n', err: 'err\n', code: 4, signal: null });
        await channel.closed;
        const silent = await connection.exec('exit 5');
        expect(await finish(silent)).toEqual({ out: '', err: '', code: 5, signal: null });
        await silent.closed;
      } finally {
        clearInterval(busy);
      }
    });

    it('tells the signal that ended a command', async () => {
      const channel = await connection.exec('kill -KILL $$');
      expect(await finish(channel)).toEqual({ out: '', err: '', code: null, signal: 'SIGKILL' });
    });

    it('passes every byte, both ways and in the command', async () => {
      const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const echo = await connection.exec('cat');
      echo.stdin.end(all);
      expect(await bytesOf(echo.stdout)).toEqual(all);
      const quoted = await connection.exec(`printf %s '\udcff\udc80 é'`);
      expect(await bytesOf(quoted.stdout)).toEqual(Buffer.from([0xff, 0x80, 0x20, 0xc3, 0xa9]));
    });

    it('carries 50 MB each way', { timeout: 30_000 }, async () => {
      const big = pattern(50_000_000);
      const up = await connection.exec('sha256sum');
      up.stdin.end(big);
      expect((await finish(up)).out).toBe(`${sha256(big)}  -\n`);
      const down = await connection.exec('head -c 50000000 /dev/zero');
      expect(sha256(await bytesOf(down.stdout))).toBe(sha256(Buffer.alloc(50_000_000)));
    });

    it('is not held up by stderr that nobody reads', async () => {
      const channel = await connection.exec('head -c 5000000 /dev/zero >&2; echo done');
      expect((await bytesOf(channel.stdout)).toString()).toBe('done\n');
      expect(await channel.exit).toEqual({ code: 0, signal: null });
    });

    it('waits for a reader who is slow', async () => {
      const channel = await connection.exec('head -c 20000000 /dev/zero; echo done >&2');
      let isDone = false;
      channel.stderr.on('data', () => {
        isDone = true;
      });
      // As much comes through meanwhile by another channel, and what has been taken in stays within the window.
      const other = await connection.exec('head -c 20000000 /dev/zero');
      expect((await bytesOf(other.stdout)).length).toBe(20_000_000);
      expect(isDone).toBe(false);
      expect(channel.stdout.readableLength).toBeLessThanOrEqual(4 * 1024 * 1024);
      expect((await bytesOf(channel.stdout)).length).toBe(20_000_000);
      expect(await channel.exit).toEqual({ code: 0, signal: null });
    });

    it('gives a terminal of the size that was asked for, and tells its new one', async () => {
      const channel = await connection.exec('stty size; read line; stty size; echo $TERM', {
        terminal: { term: 'xterm-256color', rows: 11, cols: 33 },
      });
      await shows(channel.stdout, '11 33');
      channel.resize(22, 44);
      const rest = shows(channel.stdout, 'xterm-256color');
      channel.stdin.write('\n');
      expect(await rest).toContain('22 44');
      expect(await channel.exit).toEqual({ code: 0, signal: null });
    });

    it('hangs up a terminal that is closed', async () => {
      const channel = await connection.exec('echo $$; sleep 100', {
        terminal: { term: 'vt100', rows: 24, cols: 80 },
      });
      await shows(channel.stdout, '\n');
      channel.close();
      await channel.closed;
      expect(await channel.exit).toEqual({ code: null, signal: 'SIGHUP' });
    });

    it('takes no notice of input for a command that has ended', async () => {
      const channel = await connection.exec('exec 0<&-; exit 5');
      channel.stdout.resume();
      expect(await channel.exit).toEqual({ code: 5, signal: null });
      await channel.closed;
      const error = await new Promise((resolve) => void channel.stdin.write('late', resolve));
      expect(error).toBeInstanceOf(Error);
    });
  });

  describe('room for channels', () => {
    it('runs 12 commands at once where MaxSessions is 4', async () => {
      const exits = Array.from({ length: 12 }, async (_, code) =>
        finish(await connection.exec(`sleep 0.1; exit ${code}`)),
      );
      expect((await Promise.all(exits)).map(({ code }) => code)).toEqual(
        Array.from({ length: 12 }, (_, code) => code),
      );
    });

    it('gives back the room of channels that are closed early', async () => {
      for (let round = 0; round < 6; round++) {
        const open = await Promise.all(Array.from({ length: 3 }, () => connection.exec('cat')));
        for (const channel of open) channel.close();
        await Promise.all(open.map(({ closed }) => closed));
      }
      expect((await finish(await connection.exec('echo free'))).out).toBe('free\n');
    });
  });

  describe('files', () => {
    const codeOf = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'no error',
        (error: SftpError) => error.code,
      );

    it('carries 50 MB each way', { timeout: 30_000 }, async () => {
      const files = await connection.files();
      const big = pattern(50_000_001);
      const path = bed.path(`big-${transport}`);
      await files.writeWhole(path, big, 0o640);
      expect(sha256(readFileSync(path))).toBe(sha256(big));
      expect(statSync(path).mode & 0o7777).toBe(0o640);
      expect(sha256(await files.readWhole(path, 60_000_000))).toBe(sha256(big));
      expect(await files.readRange(path, 49_999_990, 100)).toEqual(big.subarray(49_999_990));
      expect(await files.readRange(path, 70_000, 100_000)).toEqual(big.subarray(70_000, 170_000));
      expect(await codeOf(files.readWhole(path, 50_000_000))).toBe('EINVAL');
    });

    it('asks for little where little is', async () => {
      const path = bed.path(`little-${transport}`);
      writeFileSync(path, 'little');
      const channel = await connection.exec('/usr/lib/openssh/sftp-server');
      const messages: Buffer[] = [];
      const stdin = new Writable({
        write(message: Buffer, _encoding, done) {
          messages.push(message);
          channel.stdin.write(message, done);
        },
      });
      const files = await SftpClient.start(Object.assign(Object.create(channel), { stdin }), 'host');
      expect((await files.readWhole(path, 100_000_000)).toString()).toBe('little');
      expect(messages.length).toBeLessThan(10);
      channel.close();
    });

    it('puts a file in the place of another at once, and leaves nothing beside it', async () => {
      const files = await connection.files();
      const folder = bed.path(`whole-${transport}`);
      await files.mkdirs(`${folder}/a/b`);
      await files.mkdirs(`${folder}/a/b`);
      await files.writeWhole(`${folder}/a/b/file`, Buffer.from('one'));
      await files.writeWhole(`${folder}/a/b/file`, Buffer.from('two'));
      expect(readdirSync(`${folder}/a/b`)).toEqual(['file']);
      expect((await files.readWhole(`${folder}/a/b/file`, 10)).toString()).toBe('two');
    });

    it('knows files by their bytes', async () => {
      const files = await connection.files();
      const folder = bed.path(`names-${transport}`);
      await files.mkdir(folder);
      const name = 'caf\udce9 \udcff';
      await files.writeWhole(`${folder}/${name}`, Buffer.from('x'));
      expect((await files.readdir(folder)).map((entry) => entry.name)).toEqual([name]);
      const raw = readdirSync(Buffer.from(folder), { encoding: 'buffer' });
      expect(raw).toEqual([Buffer.from('caf\xe9 \xff', 'latin1')]);
      await files.symlink(name, `${folder}/link`);
      expect(await files.readlink(`${folder}/link`)).toBe(name);
    });

    it('reads and writes at places, tells what a file is, and removes it', async () => {
      const files = await connection.files();
      const path = bed.path(`places-${transport}`);
      const handle = await files.open(path, 'w', 0o600);
      await files.write(handle, 5, Buffer.from('world'));
      await files.write(handle, 0, Buffer.from('hello'));
      expect((await files.fstat(handle)).size).toBe(10);
      await files.close(handle);
      const status = await files.stat(path);
      expect(status).toMatchObject({ type: 'file', size: 10, mode: 0o600, uid: 0 });
      expect(Math.abs(status.modified - Date.now() / 1_000)).toBeLessThan(60);
      await files.chmod(path, 0o400);
      expect((await files.lstat(path)).mode).toBe(0o400);
      expect((await files.readRange(path, 3, 4)).toString()).toBe('lowo');
      await files.rename(path, `${path}.new`);
      expect(await codeOf(files.stat(path))).toBe('ENOENT');
      await files.unlink(`${path}.new`);
      expect((await files.stat(bed.folder)).type).toBe('folder');
      expect(await files.realpath(`${bed.folder}/.`)).toBe(bed.folder);
    });

    it('says what went wrong as Node does', async () => {
      const files = await connection.files();
      const folder = bed.path(`wrong-${transport}`);
      await files.mkdir(folder);
      writeFileSync(`${folder}/file`, '');
      symlinkSync('nowhere', `${folder}/dangling`);
      expect(await codeOf(files.open(`${folder}/none`, 'r'))).toBe('ENOENT');
      expect(await codeOf(files.open(`${folder}/file`, 'wx'))).toBe('EEXIST');
      expect(await codeOf(files.open(`${folder}/dangling`, 'wx'))).toBe('EEXIST');
      expect(await codeOf(files.mkdir(folder))).toBe('EEXIST');
      expect(await codeOf(files.mkdirs(`${folder}/file`))).toBe('EEXIST');
      expect(await codeOf(files.mkdirs(`${folder}/file/below`))).toBe('EEXIST');
      expect(await codeOf(files.readdir(`${folder}/none`))).toBe('ENOENT');
      expect(await codeOf(files.rmdir(folder))).toBe('EIO');
      expect(await codeOf(files.writeWhole('/dev/full/x', Buffer.from('x')))).toBe('ENOENT');
      expect(await codeOf(files.write(await files.open('/dev/full', 'r+'), 0, Buffer.from('x')))).toBe('EIO');
    });

    it('starts its server again when that has ended', async () => {
      const before = await connection.files();
      const reading = expect(before.readRange('/dev/zero', 0, 1e9)).rejects.toMatchObject({
        code: 'unreachable',
        message: 'The files of host are out of reach: its SFTP server has ended.',
      });
      const servers = server.running('sftp-server');
      expect(servers).toHaveLength(1);
      for (const pid of servers) process.kill(pid);
      await reading;
      expect((await (await connection.files()).stat('/')).type).toBe('folder');
    });
  });

  describe('its end', () => {
    it('is told when it is closed, and fails what is under way', async () => {
      const own = await open();
      const channel = await own.exec('sleep 100');
      const files = await own.files();
      const reading = files.readRange('/dev/zero', 0, 500_000_000).catch((error: Error) => error);
      own.close();
      expect(await own.ended).toBe('it was closed');
      await expect(channel.exit).rejects.toMatchObject({
        code: 'unreachable',
        message: 'The connection to host is over: it was closed.',
      });
      expect(await reading).toMatchObject({ code: 'unreachable' });
      await expect(own.exec('true')).rejects.toMatchObject({ code: 'unreachable' });
      await expect(own.files()).rejects.toMatchObject({ code: 'unreachable' });
    });

    it('is told when the host’s sshd dies, and fails what is under way', async () => {
      const before = server.connections();
      const own = await open();
      const channel = await own.exec('echo started; sleep 100');
      await shows(channel.stdout, 'started');
      const waiting = await Promise.all(Array.from({ length: 3 }, () => own.exec('sleep 100')));
      const queued = own.exec('true').catch((error: Error) => error);
      for (const pid of server.connections()) if (!before.includes(pid)) process.kill(pid, 'SIGKILL');
      expect(await own.ended).toMatch(/closed|reset|broken/i);
      await expect(channel.exit).rejects.toMatchObject({ code: 'unreachable' });
      for (const { exit } of waiting) await expect(exit).rejects.toMatchObject({ code: 'unreachable' });
      expect(await queued).toMatchObject({ code: 'unreachable' });
      expect(channel.stdin.destroyed).toBe(true);
    });

    it('is noticed when the host is frozen', async () => {
      const before = server.connections();
      const own = await open({ keepalive: { interval: transport === 'ssh2' ? 0.1 : 1, count: 1 } });
      const channel = await own.exec('sleep 100');
      const files = await own.files();
      const frozen = server.connections().filter((pid) => !before.includes(pid));
      for (const pid of frozen) process.kill(pid, 'SIGSTOP');
      const reading = files.stat('/').catch((error: Error) => error);
      expect(await own.ended).toMatch(/has not answered for 0.1 s|not responding/);
      expect(await reading).toMatchObject({ code: 'unreachable' });
      await expect(channel.exit).rejects.toMatchObject({ code: 'unreachable' });
      for (const pid of frozen) process.kill(pid, 'SIGKILL');
    });

    it('leaves no files of its own behind', async () => {
      const mine = (): string[] => readdirSync(tmpdir()).filter((name) => /^vbatch-\w{6}$/.test(name));
      const before = mine();
      const own = await open();
      own.close();
      await own.ended;
      while (mine().some((name) => !before.includes(name)))
        await new Promise((resolve) => setTimeout(resolve, 5));
    });
  });
});
