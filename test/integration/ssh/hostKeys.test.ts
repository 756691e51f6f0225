/** Whether a host is the one it should be. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMemory } from '../../../server/ssh/memory.ts';
import { echo } from './reading.ts';
import { answering, hasSshd, sshKeygen, transports, useBed } from './sshd.ts';

describe.skipIf(!hasSshd)('the key of a host', () => {
  const context = useBed();
  const known = (): string =>
    existsSync(context.bed.path('known_hosts')) ? readFileSync(context.bed.path('known_hosts'), 'utf8') : '';
  const setKnown = (text: string): void => writeFileSync(context.bed.path('known_hosts'), text);

  describe.each(transports)('that is not known, by %s', (transport) => {
    it('is asked for, and kept for ever', async () => {
      const server = await context.bed.serve('n1', { client: ['StrictHostKeyChecking ask'] });
      setKnown('# mine');
      const prompter = answering({ hostKey: async () => 'always' });
      await context.open('n1', { transport, prompter });
      const [, shown] = sshKeygen('-lf', context.bed.path('host-n1.pub')).split(' ');
      expect(prompter.asked).toEqual([
        { host: 'n1', type: expect.stringMatching(/ed25519/i), fingerprint: shown },
      ]);
      expect(known()).toBe(`# mine\n[127.0.0.1]:${server.port} ${server.hostKey}\n`);
      expect(await echo(await context.open('n1', { transport }))).toBe('in');
    });

    it('is accepted for as long as the process lives', async () => {
      await context.bed.serve('n1', { client: ['StrictHostKeyChecking ask'] });
      setKnown('');
      const memory = createMemory();
      const prompter = answering({ hostKey: async () => 'once' });
      await context.open('n1', { transport, prompter, memory });
      expect(await echo(await context.open('n1', { transport, prompter, memory }))).toBe('in');
      expect(prompter.asked).toHaveLength(1);
      expect(known()).toBe('');
    });

    it('is refused, and shown', async () => {
      await context.bed.serve('n1', { client: ['StrictHostKeyChecking ask'] });
      setKnown('');
      await expect(context.open('n1', { transport })).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('The host key of n1 '),
      });
      expect(known()).toBe('');
    });

    it('is not asked for where the configuration is strict', async () => {
      await context.bed.serve('n1');
      setKnown('');
      const prompter = answering({ hostKey: async () => 'always' });
      await expect(context.open('n1', { transport, prompter })).rejects.toMatchObject({ code: 'refused' });
      expect(prompter.asked).toEqual([]);
    });

    it('is taken without a question where the configuration says so, in a hashed form', async () => {
      const server = await context.bed.serve('n1', {
        client: ['StrictHostKeyChecking accept-new', 'HashKnownHosts yes'],
      });
      setKnown('');
      await context.open('n1', { transport });
      expect(known()).toMatch(/^\|1\|.* ssh-ed25519 .*\n$/);
      expect(sshKeygen('-F', `[127.0.0.1]:${server.port}`, '-f', context.bed.path('known_hosts'))).toContain(
        'found',
      );
    });
  });

  it.each(transports)(
    'that has changed is refused with file, line and what to do, by %s',
    async (transport) => {
      const server = await context.bed.serve('n1', { client: ['StrictHostKeyChecking ask'] });
      const other = readFileSync(`${context.bed.path('id')}.pub`, 'utf8').split(' ')[1];
      setKnown(
        `# a comment\nother.example ${server.hostKey}\n[127.0.0.1]:${server.port} ssh-ed25519 ${other}\n`,
      );
      const prompter = answering({ hostKey: async () => 'always' });
      const error = (await context.open('n1', { transport, prompter }).catch((caught) => caught)) as Error;
      const file = context.bed.path('known_hosts');
      expect(error).toMatchObject({ code: 'refused' });
      expect(error.message).toContain(`line 3 of ${file} has another one`);
      expect(error.message).toContain(sshKeygen('-lf', context.bed.path('host-n1.pub')).split(' ')[1]);
      expect(prompter.asked).toEqual([]);
      const advice = /ssh-keygen -f '(.+)' -R '(.+)'$/.exec(error.message) ?? [];
      sshKeygen('-f', advice[1] ?? '', '-R', advice[2] ?? '');
      expect(await echo(await context.open('n1', { transport, prompter }))).toBe('in');
    },
  );

  it.each(transports)('that is revoked is refused, by %s', async (transport) => {
    const server = await context.bed.serve('n1', { client: ['StrictHostKeyChecking ask'] });
    setKnown(`[127.0.0.1]:${server.port} ${server.hostKey}\n@revoked * ${server.hostKey}\n`);
    await expect(context.open('n1', { transport })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/revoked/),
    });
  });

  it('is asked for in the type that is known', async () => {
    const rsa = await context.bed.makeKey('host-rsa', '', 'rsa');
    const server = await context.bed.serve('n1', { settings: [`HostKey ${rsa}`] });
    setKnown(`[127.0.0.1]:${server.port} ${readFileSync(`${rsa}.pub`, 'utf8')}`);
    expect(await echo(await context.open('n1', { transport: 'ssh2' }))).toBe('in');
  });

  it('is certified by an authority: the system’s ssh is chosen', async () => {
    const { bed } = context;
    const ca = await bed.makeKey('ca');
    const key = await bed.makeKey('certified');
    sshKeygen('-q', '-s', ca, '-I', 'host', '-h', '-n', '127.0.0.1', `${key}.pub`);
    const server = await bed.serve('n1', { settings: [`HostKey ${key}`, `HostCertificate ${key}-cert.pub`] });
    setKnown(`@cert-authority [127.0.0.1]:${server.port} ${readFileSync(`${ca}.pub`, 'utf8')}`);
    const connection = await context.open('n1');
    expect(connection.transport).toBe('system');
    expect(await echo(connection)).toBe('in');
    expect(bed.log.join('\n')).toContain('because of the host certificate of n1');
  });
});
