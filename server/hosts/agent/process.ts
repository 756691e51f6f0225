/** A running agent: a shell that takes orders on stdin and tells events on stdout. */
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
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

/** A shell that can become an agent: a child process, or a channel of a connection. */
export interface AgentShell {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** Resolves with a clause when it has ended, whatever ended it. Never rejects. */
  ended: Promise<string>;
  /** Ends it if it does not end with its stdin. */
  kill(): void;
}

/** An agent that does not end with its stdin within this time is killed. Milliseconds. */
const patience = 2_000;

/**
 * Starts a shell of this machine that can become an agent. It gets a session of its own, so that no
 * terminal's signals reach it, and an environment of PATH alone, so that nothing of the server's leaks
 * into attempts.
 */
export function spawnShell(shell: readonly string[], path: string): AgentShell {
  const [program = 'sh', ...args] = shell;
  const child = spawn(program, [...args, '-s'], {
    cwd: '/',
    detached: true,
    env: { PATH: path },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(`its shell could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) =>
      resolve(signal ? `it was ended by ${signal}` : `it exited with ${code}`),
    );
  });
  const { stdin, stdout, stderr } = child;
  return { stdin, stdout, stderr, ended, kill: () => child.kill('SIGKILL') };
}

/** Makes a shell an agent by its first order. */
export function startAgent(shell: AgentShell, firstOrder: string, listener: AgentListener): AgentProcess {
  const { stdin, stdout, stderr } = shell;
  const ended = shell.ended.then((how) => {
    // A `cat` that outlives a killed agent holds stdout; the next agent ends it.
    stdout.destroy();
    stderr.destroy();
    listener.ended(how);
  });
  onLines(stdout, (line) => {
    const event = parseEvent(line);
    if (event) listener.event(event);
    else if (line !== '') listener.log(`the agent told something unknown: ${line.slice(0, 200)}`);
  });
  stderr.on('data', (data: Buffer) => listener.log(`the agent's shell: ${data.toString().trimEnd()}`));
  // Using a shell that has just ended fails; its end is reported by itself.
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {});
  const send = (order: string) => {
    if (stdin.writable) stdin.write(encodeBytes(order));
  };
  send(firstOrder);
  return {
    send,
    async close() {
      stdin.end();
      const timer = setTimeout(() => shell.kill(), patience);
      await ended;
      clearTimeout(timer);
    },
  };
}

function onLines(stream: Readable, tell: (line: string) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  stream.on('data', (data: Buffer) => {
    const bytes = rest.length === 0 ? data : Buffer.concat([rest, data]);
    let from = 0;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
      tell(decodeBytes(bytes.subarray(from, at)));
      from = at + 1;
    }
    rest = bytes.subarray(from);
  });
}
