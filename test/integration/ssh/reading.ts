/** Reads what channels give. */
import type { Readable } from 'node:stream';
import type { ChannelExit, SshChannel } from '../../../server/ssh/channel.ts';
import type { SshConnection } from '../../../server/ssh/connection.ts';

export async function bytesOf(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Everything that a command prints, and how it ends. */
export async function finish(channel: SshChannel): Promise<ChannelExit & { out: string; err: string }> {
  const [out, err, exit] = await Promise.all([
    bytesOf(channel.stdout),
    bytesOf(channel.stderr),
    channel.exit,
  ]);
  return { ...exit, out: out.toString(), err: err.toString() };
}

/** What comes back from a host: `in`, if all is well. */
export async function echo(connection: SshConnection): Promise<string> {
  return (await finish(await connection.exec('echo in'))).out.trim();
}

/** Resolves when what the stream has given so far contains `text`. */
export function shows(stream: Readable, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    stream.on('data', (data: Buffer) => {
      seen += data.toString();
      if (seen.includes(text)) resolve(seen);
    });
    stream.on('end', () => reject(new Error(`it ended before "${text}" came: ${seen}`)));
  });
}
