/** What is found out on a machine itself, however it is reached. check.sh tells it. */
import type { Shape } from '../model/task.ts';
import type { Finding } from '../protocol/hosts.ts';
import { formatSize } from '../protocol/quantities.ts';
import { checkScript, scriptsVersion } from './agent/scripts.ts';
import { failure, ok, warning } from './findings.ts';
import type { HostFacts } from './host.ts';
import { type ReadingShell, type Told, tell } from './told.ts';

/** A slow disk, or a directory service that is out of reach, may hold it up. Milliseconds. */
const patience = 30_000;
/** Less free disk than this is little, in bytes and as a share. */
const littleDisk = 1024 ** 3;
const littleShare = 0.05;
/** Fewer processes than this are soon used up by tasks that start some. */
const fewProcesses = 200;

/** Looks at the machine. With `leaveSleeper` a process stays behind for a minute; see `sleeperOf`. */
export function tellMachine(
  shell: ReadingShell,
  folder: string,
  { leaveSleeper }: { leaveSleeper: boolean },
): Promise<Told> {
  const variables = {
    _vb_folder: folder,
    _vb_scripts: scriptsVersion,
    _vb_sleeper: leaveSleeper ? '1' : '',
  };
  return tell(shell, checkScript, variables, patience);
}

/** The process that was left behind, or null. */
export function sleeperOf(told: Told): number | null {
  const text = told.one('sleeper') ?? '';
  return /^[1-9]\d*$/.test(text) ? Number(text) : null;
}

/** All that the machine tells of itself, but for what becomes of processes after a logout. */
export function machineFindings(told: Told): Finding[] {
  return [
    agentFinding(told),
    ...toolFindings(told),
    ...folderFindings(told),
    scriptsFinding(told),
    processFinding(told),
  ];
}

/** What was found, beside what the configuration says. */
export function roomFinding(facts: HostFacts, configured: Partial<Shape>): Finding {
  const gpuNames = [...new Set(facts.gpus.map(({ name }) => name))].join(', ');
  const gpus = facts.gpus.length === 0 ? 'no GPU' : `${facts.gpus.length} GPUs (${gpuNames})`;
  const found = `${facts.cpus} CPUs, ${formatSize(facts.memory)} of memory, ${gpus}`;
  const { cpus, memory, gpus: granted } = configured;
  const said = [
    ...(cpus === undefined ? [] : [`cpus: ${cpus}`]),
    ...(memory === undefined ? [] : [`memory: ${formatSize(memory)}`]),
    ...(granted === undefined ? [] : [`gpus: ${granted}`]),
  ].join(', ');
  if (said === '') return ok('room', found);
  const isMore =
    (cpus ?? 0) > facts.cpus || (memory ?? 0) > facts.memory || (granted ?? 0) > facts.gpus.length;
  const text = `${found}; the configuration says ${said}`;
  if (!isMore) return ok('room', text);
  return warning('room', text, 'correct it in the configuration, unless it is meant to be overbooked');
}

/** Whether processes go on after a logout, as far as the machine's settings tell; null where they do not. */
export function logoutByConfiguration(told: Told): { kills: boolean; text: string } | null {
  const kills = told.one('kills');
  if (kills === undefined) return null;
  const user = told.one('user') ?? '';
  const isExcluded = (told.one('excluded') ?? '').split(' ').includes(user);
  const isOn = /^(yes|true|on|1)$/i.test(kills) && user !== 'root' && !isExcluded;
  return {
    kills: isOn,
    text: `KillUserProcesses is ${kills === '' ? 'not set' : kills}${isExcluded ? `, but not for ${user}` : ''}`,
  };
}

/** What an administrator can do about KillUserProcesses. */
export function keepProcesses(told: Told): string {
  const user = told.one('user') || 'your user';
  return `have its administrator set KillUserProcesses=no, or KillExcludeUsers=root ${user}, in /etc/systemd/logind.conf`;
}

function agentFinding(told: Told): Finding {
  const mode = told.one('detach') ?? 'none';
  const bash = told.one('bash');
  const [, path = '', version = ''] = /^(\S+) ?(\S*)$/.exec(bash ?? '') ?? [];
  const shell = bash === undefined ? (told.one('sh') ?? '/bin/sh') : `${path} ${version}`.trim();
  if (mode === 'none') {
    return failure('agent', `tasks cannot be detached from ${shell}`, 'install bash, or setsid (util-linux)');
  }
  return ok('agent', `runs under ${shell}, and starts tasks by ${mode === 'bash' ? 'bash itself' : mode}`);
}

function toolFindings(told: Told): Finding[] {
  const missing = told.all('missing').join(', ');
  if (missing === '') return [];
  return [failure('programs', `it lacks ${missing}`, 'install what is missing (coreutils, findutils, grep)')];
}

function folderFindings(told: Told): Finding[] {
  const folder = told.one('folder') ?? '';
  const trouble = told.one('trouble');
  if (trouble !== undefined) {
    const fix = 'make it writable, or name another with `folder:` in the configuration';
    return [failure('folder', `${folder} cannot be written: ${trouble}`, fix)];
  }
  const disk = numbers(told.one('disk'));
  const inodes = numbers(told.one('inodes'));
  return [
    ...(disk === null ? [] : [diskFinding(folder, disk)]),
    ...(inodes === null || inodes.total === 0 ? [] : [inodeFinding(folder, inodes)]),
  ];
}

const makeRoom = '`vctl host prune` removes what vbatch has left; else make room, or name another `folder:`';

function diskFinding(folder: string, { total, free }: { total: number; free: number }): Finding {
  const text = `${formatSize(free * 1024)} of ${formatSize(total * 1024)} are free for ${folder}`;
  const isLittle = free * 1024 < littleDisk || free < total * littleShare;
  return isLittle ? warning('disk', text, makeRoom) : ok('disk', text);
}

function inodeFinding(folder: string, { total, free }: { total: number; free: number }): Finding {
  const text = `${Math.floor((free / total) * 100)} % of the inodes are free for ${folder}`;
  return free < total * littleShare ? warning('inodes', text, makeRoom) : ok('inodes', text);
}

function numbers(text: string | undefined): { total: number; free: number } | null {
  const [, total, free] = /^(\d+) (\d+)$/.exec(text?.split('\n').at(-1) ?? '') ?? [];
  return total === undefined ? null : { total: Number(total), free: Number(free) };
}

function scriptsFinding(told: Told): Finding {
  const [current, others] = (told.one('scripts') ?? '0 0').split(' ');
  const old = others === '0' ? '' : `; ${others} other version${others === '1' ? '' : 's'} beside them`;
  if (current === '1') return ok('scripts', `version ${scriptsVersion} is there${old}`);
  return ok('scripts', `version ${scriptsVersion} will be put there at the next connection${old}`);
}

function processFinding(told: Told): Finding {
  const [limit = 'unlimited', now = '0'] = (told.one('processes') ?? '').split(' ');
  const text = `the user may have ${limit === 'unlimited' ? 'any number of' : limit} processes, and has ${now}`;
  const isFew = /^\d+$/.test(limit) && Number(limit) - Number(now) < fewProcesses;
  return isFew
    ? warning('processes', text, 'raise nproc for the user in /etc/security/limits.conf')
    : ok('processes', text);
}
