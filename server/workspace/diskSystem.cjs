/** What `diskWorker.cjs` does otherwise on Windows than on other systems. Strings have a character per byte, as there. */
const fs = require('node:fs');

const isWindows = process.platform === 'win32';
/** How long to wait for whoever has a file open, in milliseconds. */
const PAUSES = isWindows ? [5, 20, 50, 100, 200] : [];

/** A path as Node takes it: bytes; on Windows, where names are none, text, which may then be of any length. */
function bytes(text) {
  const found = Buffer.from(text, 'latin1');
  return isWindows ? found.toString() : found;
}

/** The target of a link, with slashes. */
function readLink(path) {
  const target = fs.readlinkSync(bytes(path), { encoding: 'latin1' });
  return isWindows ? target.replaceAll('\\', '/') : target;
}

/** Renames. On Windows nobody may while another program has one of the files open, which mostly is soon over. */
function rename(from, to) {
  for (const wait of PAUSES) {
    try {
      fs.renameSync(bytes(from), bytes(to));
      return;
    } catch (error) {
      if (!['EPERM', 'EACCES', 'EBUSY'].includes(error.code)) throw error;
    }
    pause(wait);
  }
  fs.renameSync(bytes(from), bytes(to));
}

/** Windows syncs only what is open for writing, and no folder; NTFS has names in a journal of its own. */
function sync(files, folders) {
  for (const path of files) syncOne(path, fs.constants.O_RDWR);
  if (!isWindows) for (const path of folders) syncOne(path, fs.constants.O_RDONLY);
}

function syncOne(path, flags) {
  const file = fs.openSync(bytes(path), flags);
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/** Whether hosts can execute what begins like this: a script, or a program of Linux. */
function startsItself(head) {
  return ['#!', '\x7fELF'].some((mark) => head.toString('latin1', 0, mark.length) === mark);
}

function pause(milliseconds) {
  if (milliseconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

module.exports = { isWindows, bytes, readLink, rename, sync, startsItself, pause };
