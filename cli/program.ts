/** The process of `vbatch` and `vrun`. */
import { join } from 'node:path';
import { connect } from '../server/client/launch.ts';
import type { Program } from '../server/protocol/commandLine.ts';
import { stateFolder } from '../server/protocol/discovery.ts';
import { version } from '../server/version.ts';
import { exactArguments, exactDirectory, exactEnvironment } from './exactProcess.ts';
import { reportFailure } from './failure.ts';
import { processIo } from './io.ts';
import { handOver, shimFolder } from './shim.ts';
import { runSubmission } from './submit.ts';

/** The server's bundle: beside the folder of this program's. */
export const serverFile = join(__dirname, '../server.cjs');

/** Runs the program and ends the process with its code. */
export async function main(program: Program): Promise<void> {
  const { env } = process;
  try {
    const args = exactArguments(process.argv);
    const folder = shimFolder(env);
    process.exitCode =
      folder === null
        ? await runSubmission({
            program,
            args,
            directory: exactDirectory(),
            environment: exactEnvironment(env),
            version,
            io: processIo(() => {}),
            connect: () => connect(stateFolder(env), env, { start: true, serverFile, version }),
          })
        : await handOver(folder, program, args);
  } catch (error) {
    process.exitCode = reportFailure(program, error, process.stderr);
  }
  // Kept connections to the server would keep the process as well.
  process.exit();
}
