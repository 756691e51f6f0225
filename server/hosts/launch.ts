/** How an attempt's surroundings are made (R34): the files that its wrapper sources, and its order. */
import { createHash } from 'node:crypto';
import { join } from 'node:path/posix';
import { encodeBytes } from '../protocol/bytes.ts';
import type { Launch } from './agent/orders.ts';
import { quote } from './agent/orders.ts';
import { exportLine, splitAssignments } from './environment.ts';
import type { HostPaths } from './files.ts';
import type { BesideOrder, StartOrder } from './host.ts';
import type { Login } from './login.ts';

/** What of the host goes into every attempt's surroundings. */
export interface Ground {
  paths: HostPaths;
  /** Tells this folder's attempts from any other's; see HostPaths.cookie. */
  cookie: string;
  variables: Readonly<Record<string, string>>;
  login: Login;
  /** Path of a bash for setup lines, or null where the host has none. */
  bash: string | null;
}

export interface PlannedFile {
  path: string;
  contents: Buffer;
}

export interface LaunchPlan {
  launch: Launch;
  /** Named by its contents, so that tasks with the same environment share it. */
  environmentFile: PlannedFile;
  /** The attempt's own script, where there are setup lines. */
  setupFile: PlannedFile | null;
}

const fallbackPath = '/usr/local/bin:/usr/bin:/bin';
const envProgram = '/usr/bin/env';

/** What to write, and then to order, so that the attempt runs. */
export function planLaunch(order: StartOrder, ground: Ground): LaunchPlan {
  return order.setup.trim() === '' ? planPlain(order, ground) : planWithSetup(order, ground);
}

/** Everything is known beforehand: the wrapper's child sources one file and executes the command. */
function planPlain(order: StartOrder, ground: Ground): LaunchPlan {
  const environment = new Map(ground.login.environment);
  for (const name of order.environment.unset) environment.delete(name);
  for (const [name, value] of Object.entries(order.environment.set)) environment.set(name, value);
  const shared = splitAssignments(withShim(environment, ground));
  const own = splitAssignments(ownVariables(order, ground));
  const environmentFile = environmentFileOf(shared.exports, ground);
  return {
    launch: {
      key: order.key,
      stdin: typeof order.stdin === 'string' ? order.stdin : 'terminal',
      directory: order.directory,
      environment: environmentFile.path,
      program: order.command[0] ?? '',
      assignments: own.exports,
      words: [...throughEnv([...shared.forEnv, ...own.forEnv], []), ...order.command],
    },
    environmentFile,
    setupFile: null,
  };
}

/**
 * The setup lines may do anything to the shell they run in, so they get one of their own, which starts
 * with the login environment and in the end executes the command. It is given nothing as positional
 * parameters, because `source FILE` hands those on.
 */
function planWithSetup(order: StartOrder, ground: Ground): LaunchPlan {
  const login = splitAssignments(withShim(ground.login.environment, ground));
  const environmentFile = environmentFileOf(login.exports, ground);
  const shell = ground.bash ?? 'sh';
  const script = `${ground.paths.attempt(order.key)}.setup`;
  return {
    launch: {
      key: order.key,
      stdin: typeof order.stdin === 'string' ? order.stdin : 'terminal',
      directory: order.directory,
      environment: environmentFile.path,
      program: shell,
      assignments: [],
      words: [...throughEnv(login.forEnv, []), shell, script],
    },
    environmentFile,
    setupFile: { path: script, contents: encodeBytes(setupScript(order, ground)) },
  };
}

function setupScript(order: StartOrder, ground: Ground): string {
  const { bin, scripts } = ground.paths;
  const changed = splitAssignments(Object.entries(order.environment.set));
  const unset = splitAssignments(order.environment.unset.map((name) => [name, '']));
  const own = splitAssignments(ownVariables(order, ground));
  const words = [
    ...throughEnv(
      [...changed.forEnv, ...own.forEnv],
      unset.forEnv.map((entry) => entry.slice(0, -1)),
    ),
    ...order.command,
  ];
  // Ending in any way before the trap is taken back is a failure of the setup lines.
  return `. ${quote(join(scripts, 'attempt.sh'))}
_vb_at=${quote(ground.paths.attempt(order.key))}
trap '_vb_record setup "$?" ""' EXIT
eval ${quote(order.setup)} >&2
_vb_code=$?
[ "$_vb_code" -eq 0 ] || exit "$_vb_code"
trap - EXIT
set +eu
cd ${quote(order.directory)} || exit
${unset.exports.map((entry) => `unset ${entry.slice(0, -1)}\n`).join('')}${exportLine(changed.exports)}\
case :$PATH: in
*:${quote(bin)}:*) ;;
*) export PATH=${quote(bin)}:"$PATH" ;;
esac
${exportLine(own.exports)}\
_vb_ready ${quote(order.command[0] ?? '')}
exec ${ground.bash === null ? '' : '-- '}${words.map(quote).join(' ')}
`;
}

/** What every shell keeps for itself, and which would be wrong in another one. */
const processOwn = ['_', 'OLDPWD', 'PWD', 'SHLVL'];

/**
 * The script of a shell beside an attempt, which it removes first: it may hold secrets.
 * @param path where it lies.
 * @param started the environment with which the attempt's command was started.
 */
export function besideScript(
  path: string,
  { directory, command, terminal }: BesideOrder,
  started: ReadonlyMap<string, string>,
  login: Login,
): string {
  const environment = new Map(started).set('TERM', terminal.term);
  for (const name of processOwn) environment.delete(name);
  const { exports, forEnv } = splitAssignments(environment);
  const words = [...throughEnv(forEnv, []), ...(command ?? [environment.get('SHELL') || '/bin/sh'])];
  return `rm -f ${quote(path)}
stty iutf8 2>/dev/null
${environmentText(exports, login)}cd ${quote(directory)} || exit
exec ${words.map(quote).join(' ')}
`;
}

/** `-e` and VBATCH_ variables, and those by which the shim finds its way back and a stop finds strays. */
function ownVariables(order: StartOrder, ground: Ground): [string, string][] {
  return [
    ...Object.entries({ ...ground.variables, ...order.variables }),
    ['VBATCH_AGENT', ground.paths.folder],
    ['VBATCH_ATTEMPT_KEY', `${order.key}@${ground.cookie}`],
  ];
}

/** The environment with the shim first on PATH, and nowhere else on it. */
function withShim(environment: ReadonlyMap<string, string>, { paths }: Ground): Map<string, string> {
  const isShim = (entry: string) => entry.startsWith(`${paths.folder}/`) && entry.endsWith('/bin');
  const entries = (environment.get('PATH') ?? fallbackPath).split(':').filter((entry) => !isShim(entry));
  // Where a task's own PATH finds the command line before the shim, that hands the call over to the shim.
  return new Map(environment)
    .set('PATH', [paths.bin, ...entries].join(':'))
    .set('VBATCH_SHIM_DIR', paths.bin);
}

function environmentFileOf(exports: readonly string[], { paths, login }: Ground): PlannedFile {
  const contents = encodeBytes(environmentText(exports, login));
  const name = createHash('sha256').update(contents).digest('hex').slice(0, 32);
  return { path: join(paths.environments, name), contents };
}

function environmentText(exports: readonly string[], { umask }: Login): string {
  return `umask ${umask}\nunset OLDPWD SHLVL\n${exportLine(exports)}`;
}

/** Words before a command that set and unset what `export` and `unset` cannot. */
function throughEnv(assignments: readonly string[], unset: readonly string[]): string[] {
  if (assignments.length === 0 && unset.length === 0) return [];
  return [envProgram, ...unset.flatMap((name) => ['-u', name]), ...assignments];
}
