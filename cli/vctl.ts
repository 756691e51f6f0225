import { connect } from '../server/client/launch.ts';
import { findWorkspace } from '../server/config/workspace.ts';
import { stateFolder } from '../server/protocol/discovery.ts';
import { VbatchError } from '../server/protocol/errors.ts';
import { version } from '../server/version.ts';
import { exactArguments, exactDirectory } from './exactProcess.ts';
import { reportFailure } from './failure.ts';
import { processIo } from './io.ts';
import { serverFile } from './program.ts';
import { runVctl } from './vctlProgram.ts';

async function main(): Promise<void> {
  try {
    const { env } = process;
    const home = stateFolder(env);
    await runVctl(
      exactArguments(process.argv),
      {
        io: processIo(() => process.exit()),
        home,
        connect: () => connect(home, env, { start: true, serverFile, version }),
        connectIfRunning: () =>
          connect(home, env, { start: false, serverFile, version: null }).catch(nullWhereNoneRuns),
        workspace: findWorkspace(exactDirectory()),
        now: Date.now,
        exitWith: (code) => {
          process.exitCode = code;
        },
      },
      version,
    );
  } catch (error) {
    process.exitCode = reportFailure('vctl', error, process.stderr);
  }
  // Kept connections to the server would keep the process as well.
  process.exit();
}

function nullWhereNoneRuns(error: unknown): null {
  if (error instanceof VbatchError && error.code === 'noServer') return null;
  throw error;
}

void main();
