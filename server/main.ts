/** The server as a program: `node dist/server.cjs`, in the background of whoever asked first. */
import pino from 'pino';
import { type App, startApp } from './app.ts';
import { closeInherited } from './descriptors.ts';
import { stateFolder } from './protocol/discovery.ts';
import { VbatchError } from './protocol/errors.ts';
import { readinessVariable, reportReadiness } from './readiness.ts';
import { version } from './version.ts';

closeInherited(Number(process.env[readinessVariable]));
// Tells an editor's program to be Node (client/launch.ts); the login shell and the tasks below are not to hear it.
delete process.env.ELECTRON_RUN_AS_NODE;

// Its output is the log file of the state folder.
const log = pino(
  { base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
  pino.destination({ fd: 1, sync: true }),
);

let app: App | null = null;
let stopping = false;

async function stop(why: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  log.info(`the server stops: ${why}`);
  try {
    await app?.close();
  } catch (error) {
    log.error(error, 'not everything could be stored');
    process.exitCode = 1;
  }
  process.exit();
}

async function main(): Promise<void> {
  try {
    app = await startApp({
      home: stateFolder(process.env),
      env: process.env,
      version,
      log,
      onStop: () => void stop('a client has asked for it'),
    });
    reportReadiness(process.env, { port: app.port });
  } catch (error) {
    const expected = error instanceof VbatchError;
    log.fatal(expected ? { msg: error.message } : error);
    reportReadiness(process.env, {
      error: { code: expected ? error.code : 'internal', message: (error as Error).message },
    });
    process.exit(1);
  }
}

process.on('SIGTERM', () => void stop('SIGTERM'));
process.on('SIGINT', () => void stop('SIGINT'));
// A terminal that closes does not end the server.
process.on('SIGHUP', () => {});
process.on('uncaughtException', (error) => {
  // What is durable is safe, what is not was never acknowledged: a fresh start is the sound state.
  log.fatal(error, 'a bug ended the server; the next command starts it again');
  process.exit(1);
});

void main();
