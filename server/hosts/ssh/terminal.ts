/** Terminals on a machine over SSH: channels of its connection. */
import type { Terminal } from '../../model/task.ts';
import { VbatchError } from '../../protocol/errors.ts';
import type { SshConnection } from '../../ssh/connection.ts';
import type { TerminalChannel } from '../machine.ts';

/** sshd allows ten sessions on a connection unless told otherwise, and the agent and the files need some. */
const mostTerminals = 6;
/** How long to wait for a session where others take all that the host allows. Milliseconds. */
const patience = 10_000;

/** Opens terminals on one connection. */
export function sshTerminals(
  connection: SshConnection,
): (command: string, terminal: Terminal) => Promise<TerminalChannel> {
  let open = 0;
  return async (command, { term, rows, columns }) => {
    if (open >= mostTerminals) {
      throw new VbatchError(
        'refused',
        `${mostTerminals} terminals are open there already, which is as many as go over one connection; end one of them`,
      );
    }
    open += 1;
    try {
      const channel = await connection.exec(command, {
        terminal: { term, rows, cols: columns },
        signal: AbortSignal.timeout(patience),
      });
      void channel.closed.then(() => {
        open -= 1;
      });
      const { stdin, stdout: output } = channel;
      const closed = channel.exit.then(
        async ({ code }) => {
          await channel.closed;
          return { exitCode: code, lost: null };
        },
        async () => ({ exitCode: null, lost: `the connection is lost: ${await connection.ended}` }),
      );
      return {
        input: (bytes) =>
          new Promise((resolve) => {
            if (!stdin.writable) return resolve();
            stdin.once('close', resolve);
            stdin.write(bytes, () => {
              stdin.off('close', resolve);
              resolve();
            });
          }),
        output,
        resize: ({ rows: height, columns: width }) => channel.resize(height, width),
        closed,
        close: () => channel.close(),
      };
    } catch (error) {
      open -= 1;
      if ((error as Error).name !== 'TimeoutError') throw error;
      throw new VbatchError(
        'refused',
        `no session was free there within ${patience / 1_000} s; see MaxSessions in its sshd_config, or end other terminals`,
      );
    }
  };
}
