/** Looks at files and reads them, each as it was at one time if that can be. For the worker; see diskWorker.cjs. */
const fs = require('node:fs');
const { isWindows, bytes, readLink, startsItself, pause } = require('./diskSystem.cjs');

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
/** A file that changes while it is read is read again, after these milliseconds. */
const PAUSES = [0, 5, 20, 50, 100];
/** Nanoseconds within which a file system may give two changes the same time. FAT takes two seconds. */
const TICK = 2_000_000_000n;
/** Errors that are the disk's and not the file's. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);
/** Bytes that are read at a time. */
const pieceSize = 1024 * 1024;
/** Read in turn: what is in one may still be on its way to the disk while the other is filled. */
const pieces = [Buffer.allocUnsafeSlow(pieceSize), Buffer.allocUnsafeSlow(pieceSize)];

/** What is at a path, without following a link and without reading a file. */
function look(path) {
  try {
    const stat = fs.lstatSync(bytes(path), { bigint: true });
    if (stat.isFile()) return aboutFile(stat, Date.now());
    if (stat.isDirectory()) return { kind: 'folder' };
    if (!stat.isSymbolicLink()) return { kind: 'special', what: special(stat) };
    return { kind: 'link', target: readLink(path) };
  } catch (error) {
    return unreadable(error);
  }
}

function unreadable(error) {
  if (FULL.has(error.code)) throw error;
  // EINVAL is what readlink says of what is no link any more: it was replaced just now.
  if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(error.code)) return { kind: 'gone' };
  return { kind: 'denied', why: error.code };
}

function special(stat) {
  if (stat.isSocket()) return 'socket';
  return stat.isFIFO() ? 'FIFO' : 'device';
}

/** @param at when it was looked at, in milliseconds */
function aboutFile(stat, at) {
  const changed = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
  return {
    kind: 'file',
    size: Number(stat.size),
    executable: (stat.mode & 0o100n) !== 0n,
    signature: `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`,
    isSettled: changed + TICK < BigInt(at) * 1_000_000n,
  };
}

function isRead(found) {
  return found.kind === 'file' || found.kind === 'busy';
}

/**
 * Reads a file to its end, such that what was read is what it held at one time. Where it changes again and again,
 * what was read last has to do, as far as it reached when that began: of a log, that is what it held then.
 *
 * @param begin called before each attempt
 * @param take called with each piece, which holds until the one after the next is read; what it throws is thrown on
 */
async function readWhole(path, begin, take) {
  for (const wait of PAUSES) {
    pause(wait);
    const found = await readOnce(path, begin, take, false);
    if (found) return found;
  }
  return (await readOnce(path, begin, take, true)) ?? { kind: 'gone' };
}

/** Null where it was replaced or changed meanwhile, unless that has to do. */
async function readOnce(path, begin, take, isLast) {
  // Windows cannot be told not to follow a link.
  const instead = O_NOFOLLOW === undefined ? look(path) : null;
  if (instead !== null && instead.kind !== 'file') return instead;
  let file;
  try {
    file = fs.openSync(bytes(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // It is a link or a socket.
    return ['ELOOP', 'EMLINK', 'ENXIO'].includes(error.code) ? noFile(path) : unreadable(error);
  }
  try {
    const before = fs.fstatSync(file, { bigint: true });
    return before.isFile() ? await readOpen(file, before, begin, take, isLast) : noFile(path);
  } finally {
    fs.closeSync(file);
  }
}

function noFile(path) {
  const found = look(path);
  return found.kind === 'file' ? null : found;
}

async function readOpen(file, before, begin, take, isLast) {
  const about = aboutFile(before, Date.now());
  await begin();
  let size = 0;
  for (let turn = 0; ; turn = 1 - turn) {
    const piece = pieces[turn];
    // It may grow faster than it is read.
    const most = isLast ? Math.min(piece.length, about.size - size) : piece.length;
    let read;
    try {
      read = most === 0 ? 0 : fs.readSync(file, piece, 0, most, null);
    } catch (error) {
      return unreadable(error);
    }
    if (read === 0) break;
    // There is no bit for it there.
    if (isWindows && size === 0) about.executable = startsItself(piece.subarray(0, read));
    size += read;
    if (size > about.size) return null;
    await take(piece.subarray(0, read));
    // If there is more by now, its signature is another one.
    if (size === about.size && read < piece.length) break;
  }
  const after = aboutFile(fs.fstatSync(file, { bigint: true }), 0);
  if (after.signature === about.signature && size === about.size) return about;
  return isLast ? { kind: 'busy', size, executable: about.executable } : null;
}

module.exports = { isRead, look, pieceSize, readWhole };
