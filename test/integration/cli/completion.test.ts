import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionScript, type Shell } from '../../../cli/completion/scripts.ts';

let folder = '';

/** Stands for `vctl __complete`: tells what it was asked, and answers with what the words want. */
const fakeVctl = `#!/bin/sh
printf '%s\\n' "$@" > "$(dirname "$0")/asked"
for last; do :; done
case $last in
  gp*) printf 'gpu-1\\t1 run\\ngpu 2\\t\\n:none\\n' ;;
  dir*) printf ':directories\\n' ;;
  *) printf ':command 3\\n' ;;
esac
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vbatch-completion-'));
  writeFileSync(join(folder, 'vctl'), fakeVctl);
  chmodSync(join(folder, 'vctl'), 0o755);
  execFileSync('mkdir', ['-p', join(folder, 'work/dir-a'), join(folder, 'work/dir-b')]);
  writeFileSync(join(folder, 'work/dir-file'), '');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function installed(shell: Shell): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0;
}

/** Output of a script that runs after the completions are loaded, in a folder with two directories. */
function after(shell: Shell, script: string): string[] {
  const flags = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell];
  const text = `${completionScript(shell)}\n${script}`;
  const output = execFileSync(shell, [...flags, '-c', text], {
    cwd: join(folder, 'work'),
    env: { PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: 'dumb' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return output.split('\n').filter((line) => line !== '');
}

function asked(): string[] {
  return execFileSync('cat', [join(folder, 'asked')], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}

describe('completions in bash', () => {
  const run = (words: string) =>
    after(
      'bash',
      `COMP_WORDS=(${words}) COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _vbatch_complete 2>/dev/null
                   printf '%s\\n' "\${COMPREPLY[@]}"`,
    );

  it('asks vctl with the words so far, and quotes what it answers', () => {
    expect(run('vbatch -P gp')).toEqual(['gpu-1', 'gpu\\ 2']);
    expect(asked()).toEqual(['__complete', 'bash', 'vbatch', '-P', 'gp']);
  });

  it('completes directories, and commands, by itself', () => {
    expect(run('vbatch -C dir-')).toEqual(['dir-a', 'dir-b']);
    expect(run('vbatch -P gpu-1 prin')).toContain('printf');
  });

  it('is bound to all three programs', () => {
    expect(after('bash', 'complete -p vbatch vrun vctl')).toHaveLength(3);
  });
});

describe.runIf(installed('fish'))('completions in fish', () => {
  const run = (line: string) => after('fish', `complete -C '${line}'`).map((each) => each.split('\t')[0]);

  it('asks vctl with the words so far', () => {
    expect(run('vbatch -P gp')).toEqual(expect.arrayContaining(['gpu-1', 'gpu 2']));
    expect(asked()).toEqual(['__complete', 'fish', 'vbatch', '-P', 'gp']);
  });

  it('completes directories, and commands, by itself', () => {
    expect(run('vbatch -C dir-')).toEqual(['dir-a/', 'dir-b/']);
    expect(run('vbatch -P gpu-1 prin')).toContain('printf');
  });
});

describe.runIf(installed('zsh'))('completions in zsh', () => {
  it('are bound to all three programs', () => {
    const script = `autoload -Uz compinit; compinit -D -u; eval "$SCRIPT"; print -l $_comps[vbatch] $_comps[vrun] $_comps[vctl]`;
    const output = execFileSync('zsh', ['-f', '-c', script], {
      env: { PATH: process.env.PATH, HOME: folder, SCRIPT: completionScript('zsh') },
      encoding: 'utf8',
    });
    expect(output).toBe('_vbatch_complete\n'.repeat(3));
  });
});
