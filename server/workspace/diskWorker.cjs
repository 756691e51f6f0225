/**
 * Reads folders and files for the server, as a worker: a folder of 50,000 names or a file of gigabytes would
 * keep everything else waiting. Paths and names are strings with a character per byte (latin1). `disk.ts` says
 * what each operation means. It is JavaScript so that it starts the same from sources and from a bundle.
 */
const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { promisify } = require('node:util');
const { parentPort } = require('node:worker_threads');
const { isRead, look, pieceSize, readWhole } = require('./diskReading.cjs');
const { isWindows, bytes, rename, sync } = require('./diskSystem.cjs');

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = fs.constants;
const { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = fs.constants;
/** Entries per message: about a millisecond of work for who gets it. */
const PART = 500;

const chunk = Buffer.allocUnsafeSlow(pieceSize);
const zeros = Buffer.alloc(chunk.length);
const write = promisify(fs.write);

const operations = {
  list({ folder }, send) {
    return list(folder, send);
  },

  changed({ folders }) {
    return folders.flatMap(({ folder, digest }, index) => (digestOf(folder) === digest ? [] : [index]));
  },

  look({ paths }) {
    return paths.map(look);
  },

  hash({ paths }) {
    return each(paths, async (path) => {
      let digest;
      const found = await readWhole(
        path,
        () => {
          digest = createHash('sha256');
        },
        (piece) => {
          digest.update(piece);
        },
      );
      return isRead(found) ? { ...found, hash: digest.digest('hex') } : found;
    });
  },

  keep({ paths, expected, temporary, folder }) {
    let isSure = false;
    const copyInto = (path) => {
      if (!isSure) makeSure(folder, expected, paths);
      isSure = true;
      return copy(path, temporary);
    };
    return each(paths, async (path) => {
      let isLeft = true;
      try {
        const found = (await clone(path, temporary)) ?? (await copyInto(path));
        if (isRead(found)) isLeft = !moveIn(temporary, found, folder);
        return found;
      } finally {
        if (isLeft) fs.rmSync(bytes(temporary), { force: true });
      }
    });
  },

  async adopt({ path, hash, folder }) {
    const [found] = await operations.hash({ paths: [path] });
    const isRight = found.kind === 'file' && (hash === null || hash === found.hash);
    const isLeft = !isRight || !moveIn(path, found, folder);
    if (isLeft) fs.rmSync(bytes(path), { force: true });
    return found;
  },

  makeSure({ folder, bytes: wanted }) {
    makeSure(folder, wanted, []);
  },

  put({ contents, temporary, folder }) {
    makeSure(
      folder,
      contents.reduce((sum, { length }) => sum + length, 0),
      [],
    );
    return contents.map((content) => {
      const found = { hash: createHash('sha256').update(content).digest('hex'), size: content.length };
      let isLeft = true;
      try {
        fs.writeFileSync(bytes(temporary), content, { flag: 'wx', mode: 0o600 });
        isLeft = !moveIn(temporary, found, folder);
        return found.hash;
      } finally {
        if (isLeft) fs.rmSync(bytes(temporary), { force: true });
      }
    });
  },

  take({ paths }) {
    return paths.map((path) => new Uint8Array(fs.readFileSync(bytes(path))));
  },

  blocks({ path, size }) {
    const file = fs.openSync(bytes(path), O_RDONLY);
    try {
      const hashes = [];
      for (let start = 0; ; start += size) {
        const digest = createHash('sha256');
        const read = eachPiece(file, start, size, (piece) => digest.update(piece));
        if (read === 0) return hashes;
        hashes.push(digest.digest('hex'));
      }
    } finally {
      fs.closeSync(file);
    }
  },

  compare({ before, after, size }) {
    const files = [];
    try {
      for (const path of [before, after]) files.push(fs.openSync(bytes(path), O_RDONLY));
      return compareFiles(files[0], files[1], size);
    } finally {
      for (const file of files) fs.closeSync(file);
    }
  },

  exchange({ from, to, before }) {
    const now = look(to);
    if (now.kind !== before.kind || now.signature !== before.signature || now.target !== before.target)
      return false;
    // There nothing takes the place of a link to a folder.
    if (isWindows && now.kind === 'link') fs.unlinkSync(bytes(to));
    rename(from, to);
    return true;
  },

  sync({ files, folders }) {
    sync(files, folders);
  },

  syncAll({ path }) {
    // Elsewhere it does not wait.
    if (process.platform !== 'linux') return false;
    return spawnSync('sync', ['-f', bytes(path)], { stdio: 'ignore' }).status === 0;
  },

  remove({ paths }) {
    for (const path of paths) fs.rmSync(bytes(path), { force: true });
  },

  async read({ path, limit }) {
    const pieces = [];
    let size = 0;
    const found = await readWhole(
      path,
      () => {
        pieces.length = 0;
        size = 0;
      },
      (piece) => {
        size += piece.length;
        if (size <= limit) pieces.push(Buffer.from(piece));
      },
    );
    return found.kind === 'file' && size <= limit ? new Uint8Array(Buffer.concat(pieces)) : null;
  },

  git({ folder, words }) {
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')),
    );
    const { error, status, stdout } = spawnSync('git', ['-C', bytes(folder), ...words], {
      // The server has no console on Windows, and git would get one of its own, to be seen.
      windowsHide: true,
      env: { ...environment, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1024 ** 3,
      timeout: 60_000,
    });
    return error ? { status: null, output: '' } : { status, output: stdout.toString('latin1') };
  },
};

/** Does one after the other. */
async function each(paths, work) {
  const results = [];
  for (const path of paths) results.push(await work(path));
  return results;
}

/** Sends what is in a folder, part by part. Gives a digest of it, or null where it is no folder or was replaced. */
function list(folder, send) {
  const before = fs.lstatSync(bytes(folder), { bigint: true });
  if (!before.isDirectory()) return null;
  const names = fs.readdirSync(bytes(folder), { encoding: 'latin1' }).sort();
  const digest = createHash('sha1');
  for (let start = 0; start < names.length; start += PART) {
    const part = names.slice(start, start + PART).map((name) => ({ name, ...look(`${folder}/${name}`) }));
    digest.update(part.map(textOf).join(''));
    send(part);
  }
  // What took its place meanwhile is nothing that was asked for.
  const after = fs.lstatSync(bytes(folder), { bigint: true });
  const isSame = after.isDirectory() && after.ino === before.ino && after.dev === before.dev;
  return isSame ? digest.digest('base64') : null;
}

function textOf({ name, kind, signature = '', target = '', what = '', why = '' }) {
  return `${name}\0${kind}\0${signature}${target}${what}${why}\0`;
}

/** The digest of what is in a folder now; null where that cannot be told. */
function digestOf(folder) {
  try {
    return list(folder, () => {});
  } catch {
    return null;
  }
}

/** Reads `length` bytes from `start` on, or as many as there are. Gives how many those are. */
function eachPiece(file, start, length, take) {
  let size = 0;
  while (size < length) {
    const read = fs.readSync(file, chunk, 0, Math.min(chunk.length, length - size), start + size);
    if (read === 0) break;
    take(chunk.subarray(0, read));
    size += read;
  }
  return size;
}

/** Runs of blocks that a file does not have where `after` has them, with the hash of all their bytes. */
function compareFiles(before, after, size) {
  const other = Buffer.allocUnsafeSlow(chunk.length);
  const digest = createHash('sha256');
  const runs = [];
  let bytes = 0;
  for (let start = 0; ; start += chunk.length) {
    const length = readFully(after, chunk, start);
    const known = readFully(before, other, start);
    for (let at = 0; at < length; at += size) {
      const end = Math.min(at + size, length);
      const block = chunk.subarray(at, end);
      if (end <= known && block.equals(other.subarray(at, end))) continue;
      digest.update(block);
      bytes += block.length;
      const number = (start + at) / size;
      const last = runs.at(-1);
      if (last && last.from + last.count === number) last.count += 1;
      else runs.push({ from: number, count: 1 });
    }
    if (length < chunk.length) return { runs, bytes, hash: digest.digest('hex') };
  }
}

function readFully(file, buffer, start) {
  let size = 0;
  while (size < buffer.length) {
    const read = fs.readSync(file, buffer, size, buffer.length - size, start + size);
    if (read === 0) break;
    size += read;
  }
  return size;
}

/** What the server leaves free on its disk for all else, its own journal first of all: bytes, and a share of the disk. */
const KEPT = 1024 ** 3;
const KEPT_SHARE = 0.05;

/** Throws as a full disk does where so many bytes more would leave too little, or what these files really take. */
function makeSure(folder, expected, paths) {
  const { bavail, blocks, bsize } = fs.statfsSync(bytes(folder));
  const free = bavail * bsize;
  const kept = Math.min(KEPT, blocks * bsize * KEPT_SHARE);
  if (free - expected >= kept) return;
  if (paths.length > 0 && free - paths.reduce((sum, path) => sum + takenBy(path), 0) >= kept) return;
  const megabytes = (size) => `${Math.ceil(size / 1e6).toLocaleString('en-US')} MB`;
  const message = `ENOSPC: ${megabytes(free)} are free, and ${megabytes(expected)} more would leave less than the ${megabytes(kept)} that are kept for other things`;
  throw Object.assign(new Error(message), { code: 'ENOSPC', syscall: 'write' });
}

/** Bytes on the disk: less than its size for a file with holes. */
function takenBy(path) {
  const stat = fs.lstatSync(bytes(path), { throwIfNoEntry: false });
  return stat ? Math.min(stat.size, stat.blocks * 512) : 0;
}

/** Devices whose files cannot be cloned into the store, and the folder on one where the last of them was. */
const cloneless = new Set();
let clonelessFolder = null;

/** A copy that shares its blocks with the file, where the file system can do that; else null. */
async function clone(path, to) {
  const home = path.slice(0, path.lastIndexOf('/'));
  if (home === clonelessFolder) return null;
  const { dev } = fs.lstatSync(bytes(path), { throwIfNoEntry: false }) ?? {};
  if (cloneless.has(dev)) {
    clonelessFolder = home;
    return null;
  }
  const before = look(path);
  if (before.kind !== 'file') return before;
  try {
    fs.copyFileSync(bytes(path), bytes(to), COPYFILE_FICLONE_FORCE | COPYFILE_EXCL);
  } catch (error) {
    fs.rmSync(bytes(to), { force: true });
    if (error.code !== 'ENOENT' && error.code !== 'EACCES') cloneless.add(dev);
    return null;
  }
  fs.chmodSync(bytes(to), 0o600);
  const [cloned] = await operations.hash({ paths: [to] });
  const after = look(path);
  if (cloned.kind === 'file' && after.signature === before.signature) return { ...before, hash: cloned.hash };
  // It changed meanwhile. A copy is made with more patience.
  fs.rmSync(bytes(to), { force: true });
  return null;
}

async function copy(path, to) {
  const file = fs.openSync(bytes(to), O_WRONLY | O_CREAT | O_EXCL, 0o600);
  let digest;
  let position = 0;
  let written = 0;
  /** A large file is written while it is hashed and read on. */
  let writing = Promise.resolve();
  try {
    const found = await readWhole(
      path,
      async () => {
        await writing;
        if (position > 0) fs.ftruncateSync(file, 0);
        digest = createHash('sha256');
        position = 0;
        written = 0;
      },
      async (piece) => {
        await writing;
        // What is all zeros becomes a hole.
        if (!piece.equals(zeros.subarray(0, piece.length))) {
          writing = writeAt(file, piece, position);
          written = position + piece.length;
        }
        position += piece.length;
        digest.update(piece);
      },
    );
    await writing;
    if (written < position) fs.ftruncateSync(file, position);
    return isRead(found) ? { ...found, hash: digest.digest('hex') } : found;
  } finally {
    await writing.catch(() => {});
    fs.closeSync(file);
  }
}

/** At once where that is little: then it costs less than to have another thread do it. */
async function writeAt(file, piece, position) {
  for (let at = 0; at < piece.length; ) {
    const rest = [file, piece, at, piece.length - at, position + at];
    at += piece.length < chunk.length ? fs.writeSync(...rest) : (await write(...rest)).bytesWritten;
  }
}

/** Gives a content its place in the store, unless it is there. Says whether it has been moved. */
function moveIn(from, { hash, size }, folder) {
  const home = `${folder}/${hash.slice(0, 2)}`;
  const to = `${home}/${hash.slice(2)}`;
  const there = fs.lstatSync(bytes(to), { throwIfNoEntry: false });
  if (there?.isFile() && there.size === size) return false;
  try {
    rename(from, to);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    fs.mkdirSync(bytes(home), { recursive: true, mode: 0o700 });
    rename(from, to);
  }
  return true;
}

async function answer({ id, operation, request }) {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- This is no window.
  const tell = (message) => parentPort.postMessage({ id, ...message });
  try {
    const value = await operations[operation](request, (part) => tell({ part }));
    tell({ value });
  } catch (error) {
    const { code, syscall, message } = error;
    tell({ error: { code, syscall, message } });
  }
}

/** One at a time: they share what they read into. */
let last = Promise.resolve();
parentPort.on('message', (message) => {
  last = last.then(() => answer(message));
});
