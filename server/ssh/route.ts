/** The way to a host by ssh2: one connection inside the other, through all its jump hosts. */
import type { Duplex } from 'node:stream';
import type { Link } from './channel.ts';
import { dial, unreachable } from './dial.ts';
import type { SshSettings } from './settings.ts';
import { connectBySsh2, type LinkOptions, type Ssh2Link } from './ssh2Link.ts';

/** Connects to a host; `optionsOf` gives the options for it and for each host on the way. */
export async function connectThroughJumps(
  settings: SshSettings,
  optionsOf: (hop: SshSettings) => LinkOptions,
): Promise<Link> {
  const passed: Ssh2Link[] = [];
  const closePassed = (): void => {
    for (const link of passed.toReversed()) link.close();
  };
  try {
    for (const hop of settings.jumps) passed.push(await connectBehind(passed.at(-1), hop, optionsOf(hop)));
    const link = await connectBehind(passed.at(-1), settings, optionsOf(settings));
    void link.ended.then(closePassed);
    return link;
  } catch (error) {
    closePassed();
    throw error;
  }
}

async function connectBehind(
  before: Ssh2Link | undefined,
  hop: SshSettings,
  options: LinkOptions,
): Promise<Ssh2Link> {
  return connectBySsh2(hop, await streamTo(before, hop, options), options);
}

/** A stream to a host's sshd. Throws `unreachable`, or the reason of the options' signal. */
async function streamTo(
  before: Ssh2Link | undefined,
  hop: SshSettings,
  { env, log, signal, connectTimeout }: LinkOptions,
): Promise<Duplex> {
  const patience = AbortSignal.timeout(connectTimeout * 1_000);
  const either = AbortSignal.any([signal, patience]);
  try {
    signal.throwIfAborted();
    return before
      ? await unlessAborted(before.forward(hop.hostName, hop.port), either)
      : await dial(hop, { env, log, signal: either });
  } catch (error) {
    if (patience.aborted && !signal.aborted) throw unreachable(hop, `no answer within ${connectTimeout} s`);
    throw error;
  }
}

/** A stream that comes after the signal is not wanted any more. */
function unlessAborted(coming: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
      coming.then(
        (late) => late.destroy(),
        () => {},
      );
    };
    signal.addEventListener('abort', abort);
    coming.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
