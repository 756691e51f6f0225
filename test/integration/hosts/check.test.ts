/** What `vctl host check` finds on good hosts and on broken ones. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalHost } from '../../../server/hosts/local.ts';
import { checkSshHost } from '../../../server/hosts/ssh/check.ts';
import type { Finding } from '../../../server/protocol/hosts.ts';
import { connect } from '../../../server/ssh/connection.ts';
import { createMemory } from '../../../server/ssh/memory.ts';
import { hasSshd, SshBed, type Sshd } from '../ssh/sshd.ts';

/** Findings by their topic. */
type Report = Record<string, Finding>;

function byTopic(findings: readonly Finding[]): Report {
  return Object.fromEntries(findings.map((finding) => [finding.topic, finding]));
}

describe.skipIf(!hasSshd)('the check of a host over SSH', () => {
  let bed: SshBed;
  beforeEach(async () => {
    bed = await SshBed.open();
  });
  afterEach(() => bed.dispose());

  async function check(more: Partial<Parameters<typeof checkSshHost>[0]> = {}): Promise<Report> {
    const findings = await checkSshHost({
      ...bed.options({ memory: createMemory() }),
      target: 'box',
      folder: bed.path('there/host'),
      standing: null,
      configured: {},
      ...more,
    });
    return byTopic(findings);
  }

  const serve = (settings: string[] = [], client: string[] = []): Promise<Sshd> =>
    bed.serve('box', { settings, client });

  it('finds nothing wrong with a good one, and tells what it saw', async () => {
    const { port } = await serve();
    const report = await check({ configured: { cpus: 1 } });
    const wrong = Object.values(report).filter(({ status }) => status !== 'ok');
    // How full this machine's disk is, is none of this test's concern.
    expect(wrong.filter(({ topic }) => topic !== 'disk')).toEqual([]);
    const texts = Object.fromEntries(Object.values(report).map(({ topic, text }) => [topic, text]));
    expect(texts).toMatchObject({
      configuration: `box is root@127.0.0.1 port ${port}`,
      network: expect.stringMatching(/^port \d+ of 127\.0\.0\.1 answers in \d+ ms$/),
      'host key': 'it is known (ssh-ed25519)',
      authentication: `it lets us in by ${bed.path('id')}`,
      connection: expect.stringMatching(/^by ssh2, to OpenSSH_\S+, in \d+ ms$/),
      'round trip': expect.stringMatching(/^\d+\.\d ms$/),
      sessions: 'it opens 10 or more at once on a connection',
      'start-up': expect.stringMatching(/^a command starts within \d+ ms$/),
      'login shell': expect.stringMatching(/ starts in \d+ ms$/),
      sftp: expect.stringContaining('the home folder is '),
      agent: expect.stringMatching(/^runs under \S+bash 5\S*, and starts tasks by bash itself$/),
      disk: expect.stringContaining(`are free for ${bed.path('there/host')}`),
      scripts: expect.stringMatching(/^version [0-9a-f]{12} will be put there/),
      room: expect.stringMatching(/^\d+ CPUs, \S+ of memory, .*; the configuration says cpus: 1$/),
      clock: 'it agrees with that of this machine',
      logout: 'processes go on when a connection ends, as seen',
    });
  });

  it('leaves no connections behind', async () => {
    const server = await serve();
    await check();
    const deadline = performance.now() + 5_000;
    while (server.connections().length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(server.connections()).toEqual([]);
  });

  it('works by the system’s ssh as well', async () => {
    await serve();
    const { connection, authentication } = await check({ transport: 'system' });
    expect(connection?.text).toContain('by system, to OpenSSH_');
    expect(authentication?.text).toContain(bed.path('id'));
  });

  it('tells that nothing listens, or that the name is unknown', async () => {
    const server = await serve();
    await server.stop();
    expect(await check()).toMatchObject({
      network: { status: 'failure', text: expect.stringContaining('nothing listens on port') },
    });
    expect(Object.keys(await check())).toEqual(['configuration', 'network']);
    bed.configure('nowhere', ['HostName nowhere.invalid']);
    expect(await check({ target: 'nowhere' })).toMatchObject({
      network: { status: 'failure', text: expect.stringContaining('nowhere.invalid') },
    });
  });

  it('tells what ssh cannot read', async () => {
    await serve();
    writeFileSync(bed.path('config'), 'Host box\n  Nonsense yes\n', { flag: 'a' });
    expect(await check()).toMatchObject({
      configuration: { status: 'failure', text: expect.stringMatching(/nonsense/i) },
    });
  });

  it('tells an unknown host key, and a changed one with its line', async () => {
    await serve([], ['StrictHostKeyChecking ask']);
    writeFileSync(bed.path('known_hosts'), '');
    expect(await check()).toMatchObject({
      'host key': {
        status: 'failure',
        text: expect.stringMatching(/is not known: ssh-ed25519 SHA256:/),
        fix: expect.stringContaining('vctl host connect'),
      },
    });
    const { port } = await bed.serve('other');
    const key = readFileSync(bed.path('known_hosts'), 'utf8').replace(/^\S+ /, '');
    const boxPort = /Port (\d+)/.exec(readFileSync(bed.path('config'), 'utf8'))?.[1];
    expect(Number(boxPort)).not.toBe(port);
    writeFileSync(bed.path('known_hosts'), `[127.0.0.1]:${boxPort} ${key}`);
    expect(await check()).toMatchObject({
      'host key': { status: 'failure', text: expect.stringMatching(/has changed.*line 1 of /) },
    });
  });

  it('tells that no key is let in, and that one needs its passphrase', async () => {
    await serve();
    await bed.makeKey('stranger');
    bed.configure('strange', [`IdentityFile ${bed.path('stranger')}`]);
    rmSync(bed.path('authorized_keys'));
    writeFileSync(bed.path('authorized_keys'), '');
    expect(await check()).toMatchObject({
      'host key': { status: 'ok' },
      authentication: { status: 'failure', text: expect.stringContaining('does not let us in') },
    });
    await bed.makeKey('locked', 'open sesame');
    bed.trust('locked');
    rmSync(bed.path('id'));
    rmSync(bed.path('id.pub'));
    const config = readFileSync(bed.path('config'), 'utf8').replaceAll(
      bed.path('id\n'),
      bed.path('locked\n'),
    );
    writeFileSync(bed.path('config'), config);
    expect(await check()).toMatchObject({
      authentication: { status: 'failure', fix: expect.stringContaining('ssh-agent') },
    });
  });

  it('counts the sessions where they are few', async () => {
    await serve(['MaxSessions 2']);
    expect(await check()).toMatchObject({
      sessions: {
        status: 'warning',
        text: 'it opens 2 at once on a connection',
        fix: 'raise MaxSessions in its sshd_config',
      },
      sftp: { status: 'ok' },
    });
  });

  it('tells that sftp is missing', async () => {
    await serve(['Subsystem other /bin/true']);
    expect(await check()).toMatchObject({
      sftp: { status: 'failure', text: 'box offers no sftp; see "Subsystem" in its sshd_config' },
    });
  });

  it('shows what start-up files print, and what they cost', async () => {
    await serve();
    // Bash reads it for the commands that sshd runs, though nobody asks for an interactive shell.
    writeFileSync(bed.path('home-box/.bashrc'), "echo '  Welcome to box!'\n");
    const report = await check();
    expect(report['start-up']).toMatchObject({
      status: 'warning',
      text: expect.stringContaining('print "Welcome to box!"'),
    });
    const slow = 'case $BASH_EXECUTION_STRING in echo*) sleep 1.1 ;; esac\n';
    writeFileSync(bed.path('home-box/.bashrc'), slow);
    expect(await check()).toMatchObject({
      'start-up': { status: 'warning', text: expect.stringMatching(/^a command starts within 1\d\d\d ms$/) },
    });
  });

  it('tells that a login shell goes its own way', async () => {
    await serve();
    writeFileSync(bed.path('home-box/.bash_profile'), 'exit 3\n');
    writeFileSync(bed.path('home-box/.profile'), 'exit 3\n');
    expect(await check()).toMatchObject({
      'login shell': { status: 'warning', text: expect.stringContaining('does not run a command') },
    });
  });

  it('tells a folder that cannot be written', async () => {
    await serve();
    writeFileSync(bed.path('file'), '');
    expect(await check({ folder: bed.path('file/host') })).toMatchObject({
      folder: { status: 'failure', text: expect.stringContaining('Not a directory') },
    });
  });

  it('tells when more is configured than is there', async () => {
    await serve();
    expect(await check({ configured: { cpus: 4_096, gpus: 3 } })).toMatchObject({
      room: {
        status: 'warning',
        text: expect.stringContaining('the configuration says cpus: 4096, gpus: 3'),
      },
    });
  });

  it('looks through the standing connection where a new one would ask somebody', async () => {
    await serve();
    const standing = await connect('box', bed.options());
    writeFileSync(bed.path('authorized_keys'), '');
    const report = await check({ standing });
    expect(report).toMatchObject({
      authentication: { status: 'failure' },
      agent: { status: 'ok' },
      sftp: { status: 'ok' },
    });
    expect(report).not.toHaveProperty('sessions');
    standing.close();
  });
});

describe('the check of this machine', () => {
  it('tells what is on it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vbatch-check-'));
    const host = new LocalHost({
      name: 'local',
      folder,
      env: { PATH: process.env.PATH, HOME: folder },
      log: () => {},
    });
    const report = byTopic(await host.examine({}, new AbortController().signal));
    expect(report).toMatchObject({
      agent: { status: 'ok' },
      room: { status: 'ok' },
      scripts: { status: 'ok' },
    });
    expect(report).not.toHaveProperty('network');
    rmSync(folder, { recursive: true });
  });
});
