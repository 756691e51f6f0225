/** An ssh-agent's keys. The protocol is draft-ietf-sshm-ssh-agent; signing is left to ssh2. */
import { createConnection } from 'node:net';
import ssh2, { type ParsedKey } from 'ssh2';
import { byte, FieldReader, MessageSplitter, string } from './wire.ts';

export interface AgentKey {
  /** The public key as it crosses the wire; its first field is its type. */
  blob: Buffer;
  comment: string;
}

const requestIdentities = 11;
const identitiesAnswer = 12;
/** An agent that takes longer is passed over. Milliseconds. */
const patience = 5_000;

/** The keys that an agent holds, certificates and hardware keys among them. Throws where there is no agent. */
export function listAgentKeys(socket: string): Promise<AgentKey[]> {
  return new Promise((resolve, reject) => {
    const connection = createConnection(socket);
    const splitter = new MessageSplitter(1024 * 1024);
    const fail = (error: Error): void => {
      connection.destroy();
      reject(error);
    };
    connection.setTimeout(patience, () => fail(new Error(`it has not answered for ${patience / 1000} s`)));
    connection.on('error', fail);
    connection.on('close', () => reject(new Error('it has hung up')));
    connection.on('data', (data: Buffer) => {
      try {
        const [message] = splitter.add(data);
        if (!message) return;
        resolve(readIdentities(message));
        connection.destroy();
      } catch (error) {
        fail(error as Error);
      }
    });
    connection.write(string(byte(requestIdentities)));
  });
}

function readIdentities(message: Buffer): AgentKey[] {
  const fields = new FieldReader(message);
  if (fields.byte() !== identitiesAnswer) throw new Error('it does not show its keys');
  const count = fields.uint32();
  return Array.from({ length: count }, () => ({ blob: fields.string(), comment: fields.text() }));
}

/** Has an agent sign. */
export function signByAgent(
  socket: string,
  key: ParsedKey,
  data: Buffer,
  hash: 'sha1' | 'sha256' | 'sha512' | undefined,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null, signature?: Buffer): void => {
      if (signature) resolve(signature);
      else reject(error ?? new Error('the agent has not signed'));
    };
    new ssh2.OpenSSHAgent(socket).sign(key, data, hash ? { hash } : {}, done);
  });
}
