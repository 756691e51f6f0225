/** Connecting with somebody who answers, and without. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Retries } from '../../../server/hosts/agent/keeper.ts';
import { SshHost } from '../../../server/hosts/ssh/host.ts';
import type { Question } from '../../../server/protocol/hosts.ts';
import { createMemory } from '../../../server/ssh/memory.ts';
import { realTimers } from '../../../server/timers.ts';
import { hasSshd, SshBed, type Sshd, sshKeygen } from '../ssh/sshd.ts';
import { Recorder } from './bed.ts';

/** What fails is not tried again by itself while a test lasts. */
const patient: Retries = { pauses: [600_000], rarePauses: [600_000], random: () => 0.5, timers: realTimers };
const signal = new AbortController().signal;

describe.skipIf(!hasSshd)('a host over SSH that asks', () => {
  let bed: SshBed;
  let server: Sshd;
  let host: SshHost;
  let reports: Recorder;
  let messages: string[];

  beforeEach(async () => {
    bed = await SshBed.open();
    messages = [];
    reports = new Recorder();
  });
  afterEach(async () => {
    await host.close();
    await bed.dispose();
  });

  /** A host of the bed, opened, with what ssh is told of it. */
  async function open(client: string[], settings: string[] = []): Promise<void> {
    server = await bed.serve('box', { client: ['StrictHostKeyChecking ask', ...client], settings });
    host = new SshHost({
      ...bed.options(),
      name: 'gpu-box',
      folder: bed.path('here'),
      target: 'box',
      base: bed.path('there'),
      identity: 'host',
      memory: createMemory(),
      retries: patient,
      log: (message) => messages.push(message),
    });
    host.open(reports);
  }

  const offline = (from = 0) =>
    reports.until((report) => (report.type === 'offline' ? report.reason : undefined), from);

  /** The question that connecting leads to. */
  async function asked(): Promise<Question> {
    const question = await host.connect(signal);
    if (question === null) throw new Error('it is online without a question');
    return question;
  }

  describe('about its key', () => {
    const unknown = () => [`UserKnownHostsFile ${bed.path('known')}`];
    const fingerprint = () => {
      writeFileSync(bed.path('key.pub'), server.hostKey);
      return sshKeygen('-l', '-f', bed.path('key.pub')).split(' ')[1];
    };

    it('asks nobody when nobody attends, and says what to do', async () => {
      await open(unknown());
      const advice = 'run `vctl host connect gpu-box` in a terminal';
      expect(await offline()).toBe(`the host key of box is not known (${fingerprint()}): ${advice}`);
      expect(host.question).toMatchObject({ kind: 'hostKey', fingerprint: fingerprint() });
    });

    it('shows it as OpenSSH does, keeps it when it is accepted, and is online', async () => {
      await open(unknown());
      const question = await asked();
      expect(question).toMatchObject({
        kind: 'hostKey',
        host: 'box',
        echo: true,
        fingerprint: fingerprint(),
      });
      expect(question.text).toMatch(
        /^The authenticity of host 'box' can't be established\.\nED25519 key fingerprint is SHA256:\S+\.\nAre you sure/,
      );
      expect(host.question).toEqual(question);
      expect(await host.answerQuestion(question.id, 'yes', signal)).toBeNull();
      expect(host.question).toBeNull();
      expect(readFileSync(bed.path('known'), 'utf8')).toBe(`[127.0.0.1]:${server.port} ${server.hostKey}\n`);
      expect(await host.connect(signal)).toBeNull();
    });

    it('takes the fingerprint for a yes', async () => {
      await open(unknown());
      const { id, fingerprint: shown } = await asked();
      expect(await host.answerQuestion(id, shown, signal)).toBeNull();
    });

    it('is not connected when it is refused, and asks again the next time', async () => {
      await open(unknown());
      for (const answer of ['no', null]) {
        const { id } = await asked();
        await expect(host.answerQuestion(id, answer, signal)).rejects.toMatchObject({
          code: 'refused',
          message: expect.stringContaining(`is not known: ssh-ed25519 ${fingerprint()}`),
        });
      }
      expect(existsSync(bed.path('known'))).toBe(false);
    });

    it('is refused with file and line when it has changed, and nobody is asked', async () => {
      await open([]);
      await reports.until((report) => report.type === 'online' || undefined);
      host.disconnect();
      const other = await bed.makeKey('other');
      const key = readFileSync(`${other}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
      writeFileSync(bed.path('known_hosts'), `# nothing\n[127.0.0.1]:${server.port} ${key}\n`);
      await expect(host.connect(signal)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringMatching(
          /^The host key of box .* has changed: .*line 2 of \S+known_hosts has another one.*ssh-keygen -f/s,
        ),
      });
      expect(host.question).toBeNull();
    });
  });

  describe('about a passphrase', () => {
    const locked = () => [`IdentityFile ${bed.path('locked')}`];
    beforeEach(async () => {
      await bed.makeKey('locked', 'open sesame');
      bed.trust('locked');
      rmSync(bed.path('id'));
    });

    it('says that it needs one when nobody attends', async () => {
      await open(locked());
      const advice = 'run `vctl host connect gpu-box` in a terminal';
      expect(await offline()).toBe(`${bed.path('locked')} needs its passphrase: ${advice}`);
    });

    it('asks again after a wrong one, unlocks by the right one, and remembers it', async () => {
      await open(locked());
      const first = await asked();
      expect(first).toMatchObject({ kind: 'passphrase', echo: false, fingerprint: null });
      expect(first.text).toBe(`Enter passphrase for key '${bed.path('locked')}': `);
      const second = await host.answerQuestion(first.id, 'wrong', signal);
      expect(second).toMatchObject({
        kind: 'passphrase',
        text: expect.stringMatching(/^That was not right/),
      });
      // The first is answered: it is not open any more.
      await expect(host.answerQuestion(first.id, 'open sesame', signal)).rejects.toMatchObject({
        code: 'notFound',
      });
      expect(await host.answerQuestion(second?.id ?? '', 'open sesame', signal)).toBeNull();
      const from = reports.all.length;
      server.killConnections();
      await offline(from);
      // Nobody attends, and nobody is asked.
      expect(await host.connect(signal)).toBeNull();
      expect(JSON.stringify([messages, reports.all, bed.log, server.lines])).not.toContain('sesame');
    });

    it('gives up after three', async () => {
      await open(locked());
      let question: Question | null = await asked();
      for (let count = 0; count < 2; count++) {
        question = await host.answerQuestion(question?.id ?? '', `wrong ${count}`, signal);
      }
      await expect(host.answerQuestion(question?.id ?? '', 'wrong', signal)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('does not let us in'),
      });
    });

    it('lets two who attend see the same question, and both hear what comes of it', async () => {
      await open(locked());
      const question = await asked();
      expect(await host.connect(signal)).toEqual(question);
      const first = host.answerQuestion(question.id, 'open sesame', signal);
      expect([await first, await host.connect(signal)]).toEqual([null, null]);
    });
  });

  it('lets go until it is connected again, and tells so', async () => {
    await open([]);
    await reports.until((report) => report.type === 'online' || undefined);
    const from = reports.all.length;
    host.disconnect();
    expect(await offline(from)).toContain('it was let go of');
    expect(await host.connect(signal)).toBeNull();
    expect(reports.all.slice(from).map(({ type }) => type)).toEqual(['offline', 'online']);
  });

  it('says why it cannot be reached', async () => {
    await open([]);
    await reports.until((report) => report.type === 'online' || undefined);
    await server.stop();
    await offline();
    await expect(host.connect(signal)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(`nothing listens on port ${server.port} of 127.0.0.1`),
    });
  });

  it('stops waiting when whoever asked has gone', async () => {
    await open([]);
    await reports.until((report) => report.type === 'online' || undefined);
    await server.stop();
    const gone = new AbortController();
    gone.abort(new Error('gone'));
    await offline();
    await expect(host.connect(gone.signal)).rejects.toThrow('gone');
  });
});
