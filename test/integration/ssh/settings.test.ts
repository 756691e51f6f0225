/** What ~/.ssh/config says, read by the real `ssh -G`. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveSettings, type SshSettings } from '../../../server/ssh/settings.ts';

describe('the settings of a host', () => {
  let folder: string;
  const { homedir: home, username } = userInfo();
  const resolve = (target: string, lines: string[]): Promise<SshSettings> => {
    const configFile = join(folder, 'config');
    writeFileSync(configFile, lines.join('\n'));
    return resolveSettings(target, {
      configFile,
      env: { PATH: process.env.PATH, FOO: 'foo', SSH_AUTH_SOCK: '/agent' },
    });
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vbatch-settings-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are ssh’s own where nothing is said', async () => {
    expect(await resolve('box', [])).toMatchObject({
      target: 'box',
      hostName: 'box',
      user: username,
      port: 22,
      jumps: [],
      proxyCommand: null,
      identitiesOnly: false,
      identityAgent: '/agent',
      certificateFiles: [],
      hostKeyAlias: null,
      hashKnownHosts: false,
      strictHostKeyChecking: 'ask',
      serverAliveInterval: 0,
      serverAliveCountMax: 3,
      connectTimeout: null,
      publicKey: true,
      password: true,
      keyboardInteractive: true,
      numberOfPasswordPrompts: 3,
    });
  });

  it('come with paths and tokens put in', async () => {
    const settings = await resolve('box', [
      'Host box',
      '  HostName 10.0.0.%h',
      '  User alice',
      '  IdentityFile ~/.ssh/%r@%n',
      '  IdentityFile "%d/a b/${FOO}"',
      '  CertificateFile ~/cert.pub',
      '  IdentityAgent $FOO',
      '  UserKnownHostsFile "~/known hosts" /etc/%k',
      '  GlobalKnownHostsFile none',
      '  HostKeyAlias alias',
      '  ProxyCommand relay %h %p %r 100%%',
      '  StrictHostKeyChecking accept-new',
      '  ServerAliveInterval 7',
      '  ServerAliveCountMax 2',
      '  ConnectTimeout 1m',
      '  HashKnownHosts yes',
      '  IdentitiesOnly yes',
      '  PasswordAuthentication no',
    ]);
    expect(settings).toMatchObject({
      hostName: '10.0.0.box',
      user: 'alice',
      identityFiles: [`${home}/.ssh/alice@box`, `${home}/a b/foo`],
      certificateFiles: [`${home}/cert.pub`],
      identityAgent: 'foo',
      userKnownHostsFiles: [`${home}/known hosts`, '/etc/alias'],
      globalKnownHostsFiles: [],
      hostKeyAlias: 'alias',
      proxyCommand: 'relay 10.0.0.box 22 alice 100%',
      strictHostKeyChecking: 'accept-new',
      serverAliveInterval: 7,
      serverAliveCountMax: 2,
      connectTimeout: 60,
      hashKnownHosts: true,
      identitiesOnly: true,
      password: false,
    });
  });

  it('follow Include and Match', async () => {
    const included = join(folder, 'included');
    writeFileSync(included, 'Host box\n  Port 2200\n');
    const settings = await resolve('box', [
      `Include ${included}`,
      'Match host box exec "true"',
      '  User matched',
      'Match host box exec "false"',
      '  HostName wrong',
    ]);
    expect(settings).toMatchObject({ hostName: 'box', port: 2200, user: 'matched' });
  });

  it.each([
    ['bob@box', { user: 'bob', hostName: 'h', port: 22 }],
    ['box:2200', { user: 'carol', hostName: 'h', port: 2200 }],
    ['ssh://bob@box:2200', { user: 'bob', hostName: 'h', port: 2200 }],
    ['bob@[::1]:2200', { user: 'bob', hostName: '::1', port: 2200 }],
    ['fe80::1', { hostName: 'fe80::1', port: 22 }],
  ])('take the user and the port of %s from it', async (target, expected) => {
    expect(await resolve(target, ['Host box', '  HostName h', '  User carol'])).toMatchObject(expected);
  });

  it('lead through jump hosts of any depth, each with its own settings', async () => {
    const settings = await resolve('d', [
      'Host a b c d',
      '  HostName %h.example',
      'Host d',
      '  ProxyJump bob@b:2222,c',
      'Host c',
      '  Port 33',
      '  ProxyCommand unused',
      'Host b',
      '  ProxyJump a',
      'Host a',
      '  ProxyCommand relay %h',
    ]);
    const way = settings.jumps.map(({ user, hostName, port, proxyCommand, jumps }) => [
      user,
      hostName,
      port,
      proxyCommand,
      jumps.length,
    ]);
    expect(way).toEqual([
      [username, 'a.example', 22, 'relay a.example', 0],
      ['bob', 'b.example', 2222, null, 0],
      [username, 'c.example', 33, null, 0],
    ]);
  });

  it('cannot be read: says where and why', async () => {
    await expect(resolve('box', ['Host box', '  Bogus yes'])).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(/config for box: .*line 2: Bad configuration option: bogus/),
    });
    for (const target of ['', '-oProxyCommand=true', 'a b', 'a;b', '-l@box', 'box:0', 'box:70000']) {
      await expect(resolve(target, [])).rejects.toMatchObject({ code: 'invalid' });
    }
  });

  it('are not read where there is no ssh, unless nothing is there to be read', async () => {
    const none = { env: { PATH: folder }, ssh: join(folder, 'no-ssh') };
    const configFile = join(folder, 'absent');
    expect(await resolveSettings('bob@box:2200', { ...none, configFile })).toMatchObject({
      hostName: 'box',
      user: 'bob',
      port: 2200,
      strictHostKeyChecking: 'ask',
      identityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `${home}/.ssh/${name}`),
    });
    writeFileSync(configFile, '');
    await expect(resolveSettings('box', { ...none, configFile })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('install it'),
    });
    const bad = join(folder, 'bad-ssh');
    writeFileSync(bad, '#!/bin/sh\necho it is broken >&2\nexit 1\n');
    chmodSync(bad, 0o755);
    await expect(resolveSettings('box', { ...none, ssh: bad })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('it is broken'),
    });
  });
});
