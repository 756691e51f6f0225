import { describe, expect, it } from 'vitest';
import { hostPaths } from '../../../server/hosts/files.ts';
import type { StartOrder } from '../../../server/hosts/host.ts';
import { type Ground, planLaunch } from '../../../server/hosts/launch.ts';

const paths = hostPaths('/state/local');
const ground: Ground = {
  paths,
  cookie: 'cookie',
  variables: { VBATCH_HOME: '/state' },
  bash: '/bin/bash',
  login: {
    environment: new Map([
      ['PATH', '/usr/bin:/bin'],
      ['A', 'login'],
    ]),
    umask: '0027',
  },
};
const order: StartOrder = {
  key: '1234.2',
  command: ['python', 'x.py'],
  stdin: 'empty',
  directory: '/work',
  setup: '',
  environment: { set: {}, unset: [] },
  variables: { VBATCH_TASK_ID: 'run/x' },
};
const plan = (more: Partial<StartOrder> = {}) => planLaunch({ ...order, ...more }, ground);

describe('planLaunch', () => {
  it('shares a file between tasks of one environment, whatever is their own', () => {
    const one = plan().environmentFile;
    expect(plan({ key: '9.1', variables: { X: '1' }, command: ['true'] }).environmentFile).toEqual(one);
    expect(plan({ environment: { set: { A: 'other' }, unset: [] } }).environmentFile.path).not.toBe(one.path);
    expect(one.contents.toString()).toBe(
      `umask 0027\nunset OLDPWD SHLVL\nexport 'PATH=${paths.bin}:/usr/bin:/bin' 'A=login' 'VBATCH_SHIM_DIR=${paths.bin}'\n`,
    );
  });

  it('tells environments apart that differ only in bytes that are not UTF-8', () => {
    const fileFor = (value: string) =>
      plan({ environment: { set: { A: value }, unset: [] } }).environmentFile;
    expect(fileFor('\udc80').path).not.toBe(fileFor('\udc81').path);
  });

  it('R34 passes what is the task’s own in the order', () => {
    expect(plan({ variables: { VBATCH_TASK_ID: 'run/x', 'a.b': '1' } }).launch).toEqual({
      key: '1234.2',
      stdin: 'empty',
      directory: '/work',
      environment: plan().environmentFile.path,
      program: 'python',
      assignments: [
        'VBATCH_HOME=/state',
        'VBATCH_TASK_ID=run/x',
        'VBATCH_AGENT=/state/local',
        'VBATCH_ATTEMPT_KEY=1234.2@cookie',
      ],
      words: ['/usr/bin/env', 'a.b=1', 'python', 'x.py'],
    });
  });

  it('has the shim on PATH once, and first', () => {
    const pathOf = (PATH: string) => {
      const { contents } = plan({ environment: { set: { PATH }, unset: [] } }).environmentFile;
      return /'PATH=(.*?)'/.exec(contents.toString())?.[1];
    };
    expect(pathOf(`/mine:${paths.bin}:/usr/bin`)).toBe(`${paths.bin}:/mine:/usr/bin`);
    // That of an earlier version goes, too.
    expect(pathOf('/state/local/0123/bin:/usr/bin')).toBe(`${paths.bin}:/usr/bin`);
    expect(plan({ environment: { set: {}, unset: ['PATH'] } }).environmentFile.contents.toString()).toContain(
      `'PATH=${paths.bin}:/usr/local/bin:/usr/bin:/bin'`,
    );
  });

  it('gives setup lines a bash of their own, with nothing but the login environment', () => {
    const { launch, environmentFile, setupFile } = plan({
      setup: 'source x',
      environment: { set: { A: 'changed' }, unset: ['B'] },
    });
    expect(launch.words).toEqual(['/bin/bash', '/state/local/tasks/1/1234.2.setup']);
    expect(launch.assignments).toEqual([]);
    expect(environmentFile.contents.toString()).toContain("'A=login'");
    expect(setupFile?.path).toBe(launch.words[1]);
    const script = setupFile?.contents.toString() ?? '';
    expect(script.indexOf("eval 'source x'")).toBeLessThan(script.indexOf('unset B'));
    expect(script.indexOf('unset B')).toBeLessThan(script.indexOf("export 'A=changed'"));
    expect(script.indexOf("export 'A=changed'")).toBeLessThan(script.indexOf("'VBATCH_TASK_ID"));
  });
});
