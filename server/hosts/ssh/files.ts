/** Files of a machine over SFTP, as hosts need them. */
import { posix } from 'node:path';
import type { SftpClient } from '../../ssh/sftp.ts';
import { SftpError } from '../../ssh/sftpError.ts';
import type { SiteFiles } from '../machine.ts';

/** No request, script or environment is larger. Bytes. */
const maxFile = 64 * 1024 * 1024;

export function siteFiles(sftp: SftpClient): SiteFiles {
  /** Null for what is not there or may not be read; a lost connection is an error. */
  const orNull = async <T>(reading: Promise<T>): Promise<T | null> => {
    try {
      return await reading;
    } catch (error) {
      if (error instanceof SftpError) return null;
      throw error;
    }
  };
  const remove = async (path: string): Promise<void> => {
    try {
      await sftp.unlink(path);
    } catch (error) {
      if (!(error instanceof SftpError)) throw error;
      if (error.code !== 'ENOENT') await removeFolder(path);
    }
  };
  const removeFolder = async (path: string): Promise<void> => {
    const entries = await sftp.readdir(path);
    await Promise.all(entries.map(({ name }) => remove(posix.join(path, name))));
    await sftp.rmdir(path);
  };
  return {
    read: (path) => orNull(sftp.readWhole(path, maxFile)),
    async readRange(path, offset, length) {
      // The server of SFTP would wait for the writer of a FIFO, and everybody for the server.
      const status = await orNull(sftp.stat(path));
      return status?.type === 'file' ? orNull(sftp.readRange(path, offset, length)) : null;
    },
    async writeWhole(path, contents, mode) {
      const bytes = Buffer.from(contents as string);
      try {
        await sftp.writeWhole(path, bytes, mode);
      } catch (error) {
        if (!(error instanceof SftpError) || error.code !== 'ENOENT') throw error;
        await sftp.mkdirs(posix.dirname(path), 0o700);
        await sftp.writeWhole(path, bytes, mode);
      }
    },
    async remove(paths) {
      await Promise.all(paths.map(remove));
    },
  };
}
