/** Messages of SFTP version 3 (draft-ietf-secsh-filexfer-02), and OpenSSH's additions (its file PROTOCOL). */
import { decodeBytes } from '../protocol/bytes.ts';
import { type FieldReader, uint32 } from './wire.ts';

export const requests = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const;

export type RequestName = keyof typeof requests;

export const answers = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 201,
} as const;

const openModes = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

/** As in `fs.open`. */
export type OpenFlags = 'r' | 'r+' | 'w' | 'wx' | 'a';

export function openMode(flags: OpenFlags): number {
  const { read, write, append, create, truncate, exclusive } = openModes;
  switch (flags) {
    case 'r':
      return read;
    case 'r+':
      return read | write;
    case 'w':
      return write | create | truncate;
    case 'wx':
      return write | create | exclusive;
    case 'a':
      return write | create | append;
    default:
      return flags satisfies never;
  }
}

export interface FileStatus {
  /** Bytes. */
  size: number;
  /** Permission bits. */
  mode: number;
  type: 'file' | 'folder' | 'link' | 'other';
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  accessed: number;
  modified: number;
}

const has = { size: 1, owner: 2, permissions: 4, times: 8, extended: 0x80000000 } as const;

export function readStatus(fields: FieldReader): FileStatus {
  const flags = fields.uint32();
  const size = flags & has.size ? fields.uint64() : 0;
  const [uid, gid] = flags & has.owner ? [fields.uint32(), fields.uint32()] : [0, 0];
  const permissions = flags & has.permissions ? fields.uint32() : 0;
  const [accessed, modified] = flags & has.times ? [fields.uint32(), fields.uint32()] : [0, 0];
  if (flags & has.extended) {
    for (let left = fields.uint32(); left > 0; left--) {
      fields.string();
      fields.string();
    }
  }
  return { size, mode: permissions & 0o7777, type: typeOf(permissions), uid, gid, accessed, modified };
}

function typeOf(permissions: number): FileStatus['type'] {
  switch (permissions & 0o170000) {
    case 0o100000:
      return 'file';
    case 0o040000:
      return 'folder';
    case 0o120000:
      return 'link';
    default:
      return 'other';
  }
}

/** Attributes that set nothing, or permission bits alone. */
export function attributes(mode?: number): Buffer {
  return mode === undefined ? uint32(0) : Buffer.concat([uint32(has.permissions), uint32(mode)]);
}

/** Names and what they are, as READDIR, REALPATH and READLINK answer. */
export function readNames(fields: FieldReader): { name: string; status: FileStatus }[] {
  const names: { name: string; status: FileStatus }[] = [];
  for (let left = fields.uint32(); left > 0; left--) {
    const name = decodeBytes(fields.string());
    fields.string(); // The line that `ls -l` would print.
    names.push({ name, status: readStatus(fields) });
  }
  return names;
}
