/** A running agent: a shell that takes orders on stdin and tells events on stdout. */
import { type ChildProcess, spawn } from 'node:child_process';
import { decodeBytes, encodeBytes } from '../../protocol/bytes.ts';
import { type AgentEvent, parseEvent } from './events.ts';

/** The channel to an agent, however it was reached. */
export interface AgentProcess {
  /** Gives an order; after the agent's end this does nothing. */
  send(order: string): void;
  /** Ends the agent, and resolves when it has ended. Attempts go on. */
  close(): Promise<void>;
}

export interface AgentListener {
  event(event: AgentEvent): void;
  /** Called once, with a clause that says how it ended. */
  ended(how: string): void;
  /** Something odd that the agent or its shell has said. */
  log(message: string): void;
}

/** An agent that does not end with its stdin within this time is killed. Milliseconds. */
const patience = 2_000;

/**
 * Starts `shell` as an agent. It gets a session of its own, so that no terminal's signals reach it, and
 * an environment of PATH alone, so that nothing of the server's leaks into attempts.
 */
export function startAgent(
  shell: readonly string[],
  path: string,
  firstOrder: string,
  listener: AgentListener,
): AgentProcess {
  const [program = 'sh', ...args] = shell;
  const child = spawn(program, [...args, '-s'], {
    cwd: '/',
    detached: true,
    env: { PATH: path },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => {
    const end = (how: string) => {
      // A `cat` that outlives a killed agent holds stdout; the next agent ends it.
      child.stdout.destroy();
      child.stderr.destroy();
      listener.ended(how);
      resolve();
    };
    child.once('error', (error) => {
      if (child.pid === undefined) end(`its shell could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) =>
      end(signal ? `it was ended by ${signal}` : `it exited with ${code}`),
    );
  });
  onLines(child, (line) => {
    const event = parseEvent(line);
    if (event) listener.event(event);
    else listener.log(`the agent told something unknown: ${line.slice(0, 200)}`);
  });
  child.stderr.on('data', (data: Buffer) => listener.log(`the agent's shell: ${data.toString().trimEnd()}`));
  // Writing to an agent that has just ended fails; its end is reported by itself.
  child.stdin.on('error', () => {});
  const send = (order: string) => {
    if (child.stdin.writable) child.stdin.write(encodeBytes(order));
  };
  send(firstOrder);
  return {
    send,
    async close() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), patience);
      await ended;
      clearTimeout(timer);
    },
  };
}

function onLines(child: ChildProcess, tell: (line: string) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  child.stdout?.on('data', (data: Buffer) => {
    const bytes = rest.length === 0 ? data : Buffer.concat([rest, data]);
    let from = 0;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
      tell(decodeBytes(bytes.subarray(from, at)));
      from = at + 1;
    }
    rest = bytes.subarray(from);
  });
}
