import { describe, expect, it } from 'vitest';
import { parseSettings, settingsOf } from '../../../server/ssh/settings.ts';
import { parseTarget } from '../../../server/ssh/target.ts';

const env = { ProgramData: 'D:\\Data' };
const settings = (lines: string[], variables: NodeJS.ProcessEnv = env) =>
  settingsOf(parseTarget('box'), 'box', parseSettings(lines.join('\r\n')), variables, 'win32');

describe('the settings of a host, on Windows', () => {
  it('have the paths of its own ssh', () => {
    const found = settings([
      'user alice',
      'identityfile C:\\Users\\A Lee\\.ssh\\id_ed25519',
      'userknownhostsfile C:\\Users\\A Lee/.ssh/known_hosts C:\\Users\\A Lee/.ssh/known_hosts2',
      'globalknownhostsfile __PROGRAMDATA__\\ssh/ssh_known_hosts __PROGRAMDATA__\\ssh/ssh_known_hosts2',
    ]);
    expect(found.user).toBe('alice');
    expect(found.identityFiles).toEqual(['C:\\Users\\A Lee\\.ssh\\id_ed25519']);
    expect(found.userKnownHostsFiles).toEqual([
      'C:\\Users\\A Lee/.ssh/known_hosts',
      'C:\\Users\\A Lee/.ssh/known_hosts2',
    ]);
    expect(found.globalKnownHostsFiles).toEqual([
      'D:\\Data\\ssh/ssh_known_hosts',
      'D:\\Data\\ssh/ssh_known_hosts2',
    ]);
  });

  it('have the paths of the ssh of Git', () => {
    const found = settings(['userknownhostsfile /c/Users/alice/.ssh/known_hosts /c/Users/alice/.ssh/more']);
    expect(found.userKnownHostsFiles).toEqual([
      'c:/Users/alice/.ssh/known_hosts',
      'c:/Users/alice/.ssh/more',
    ]);
  });

  it('have its agent where nothing names another one', () => {
    expect(settings([]).identityAgent).toBe('\\\\.\\pipe\\openssh-ssh-agent');
    expect(settings(['identityagent none']).identityAgent).toBeNull();
    const other = '\\\\.\\pipe\\pageant';
    expect(settings([`identityagent ${other}`]).identityAgent).toBe(other);
    expect(settings([], { SSH_AUTH_SOCK: other }).identityAgent).toBe(other);
  });
});
