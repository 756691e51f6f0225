import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HostEntry } from '../../../server/config/schema.ts';
import { HostFile } from '../../../server/engine/hostFile.ts';

let folder: string;
let file: string;
/** What was looked up. */
let lookedUp: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vbatch-hostfile-'));
  file = join(folder, 'new/config.yaml');
  lookedUp = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function hosts(leads = false): HostFile {
  return new HostFile({
    file,
    leadsToHost: async (...args) => {
      lookedUp.push(args);
      return leads;
    },
  });
}

const there = { ssh: 'me@10.0.0.5:2222' };
const text = () => readFileSync(file, 'utf8');

describe('adding a host', () => {
  it('makes a new file for its owner alone', async () => {
    expect(await hosts().add('box', { ...there, cpus: 64 })).toBe(true);
    expect(text()).toBe('hosts:\n  box: { ssh: me@10.0.0.5:2222, cpus: 64 }\n');
    expect([statSync(file).mode & 0o777, statSync(join(file, '..')).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it('keeps what the file says, its mode, and a link to it', async () => {
    const real = join(folder, 'dotfiles.yaml');
    writeFileSync(real, '# mine\ndefaults: { grace: 5s } # short\n');
    file = join(folder, 'link.yaml');
    symlinkSync(real, file);
    const { mode } = statSync(real);
    await hosts().add('box', there);
    expect(readFileSync(real, 'utf8')).toBe(
      '# mine\ndefaults: { grace: 5s } # short\nhosts:\n  box: { ssh: me@10.0.0.5:2222 }\n',
    );
    expect(statSync(real).mode).toBe(mode);
  });

  it('changes nothing where it is there just so, and refuses where it is there otherwise', async () => {
    await hosts().add('box', there);
    expect(await hosts().add('box', there)).toBe(false);
    await expect(hosts().add('box', { ...there, cpus: 2 })).rejects.toMatchObject({ code: 'refused' });
    expect(text()).toBe('hosts:\n  box: { ssh: me@10.0.0.5:2222 }\n');
  });

  it('refuses a file with mistakes, and none at all', async () => {
    file = join(folder, 'config.yaml');
    writeFileSync(file, 'hsots: {}\n');
    await expect(hosts().add('box', there)).rejects.toMatchObject({ code: 'configuration' });
    file = '/dev/null';
    await expect(hosts().add('box', there)).rejects.toThrow('VBATCH_CONFIG is /dev/null');
  });

  it.each([
    ['box', { cpus: 'many' }, 'hosts.box.cpus'],
    ['box', { transport: 'ssh3' }, 'hosts.box.transport'],
    ['me@box', {}, 'names have only letters'],
    ['local', {}, 'local is this machine'],
  ])('says what is wrong with %s %j before it looks anything up', async (name, entry, part) => {
    await expect(hosts().add(name, entry as HostEntry)).rejects.toThrow(part);
    expect(lookedUp).toEqual([]);
  });

  describe('by its name alone', () => {
    beforeEach(() => {
      file = join(folder, 'config.yaml');
      writeFileSync(file, 'ssh_config: ssh_config\n');
      writeFileSync(
        join(folder, 'ssh_config'),
        'Host gpu-box big\n  Port 22\nInclude MORE\nHost *\n'.replace('MORE', join(folder, '*.conf')),
      );
      writeFileSync(join(folder, 'more.conf'), 'host = node-* !node-9 "login"\n');
    });

    it.each(['gpu-box', 'big', 'node-7', 'login'])('takes %s, which ssh knows', async (name) => {
      await hosts().add(name, {});
      expect(text()).toBe(`ssh_config: ssh_config\nhosts:\n  ${name}: {}\n`);
      expect(lookedUp).toEqual([]);
    });

    it('takes what leads somewhere otherwise', async () => {
      await hosts(true).add('elsewhere', {});
      expect(lookedUp).toEqual([['elsewhere', join(folder, 'ssh_config')]]);
      expect(text()).toContain('elsewhere: {}');
    });

    it.each([
      ['gpubox', 'did you mean gpu-box?'],
      ['zzzzzzzz', 'it has gpu-box, big, login'],
    ])('suggests for %s, and writes nothing', async (name, hint) => {
      await expect(hosts().add(name, {})).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining(`${join(folder, 'ssh_config')} (${hint})`),
      });
      expect(text()).toBe('ssh_config: ssh_config\n');
    });
  });
});

describe('removing a host', () => {
  it('takes it out, and nothing else', async () => {
    file = join(folder, 'config.yaml');
    writeFileSync(file, 'hosts:\n  box: {} # the old one\n  big: {}\n');
    hosts().remove('box');
    expect(text()).toBe('hosts:\n  big: {}\n');
    expect(() => hosts().remove('bgi')).toThrow('did you mean "big"?');
  });
});
