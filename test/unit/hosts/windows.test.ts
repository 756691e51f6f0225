import { expect, it } from 'vitest';
import type { HostReports } from '../../../server/hosts/host.ts';
import { WindowsHost } from '../../../server/hosts/windows.ts';

const why = 'it runs Windows, where no tasks run, only on hosts over SSH';

it('runs no tasks, says why, and knows what terminals begin with', async () => {
  const env = { Path: 'C:\\Windows', VBATCH_HOME: 'C:\\state', EDITOR: 'code' };
  const host = new WindowsHost({ name: 'local', folder: 'C:\\state\\hosts\\local', env, log: () => {} });
  const reason = await new Promise<string>((offline) =>
    host.open({ offline } as Partial<HostReports> as HostReports),
  );
  expect(reason).toBe(why);
  expect([...(await host.loginEnvironment())]).toEqual([
    ['Path', 'C:\\Windows'],
    ['EDITOR', 'code'],
  ]);
  expect(await host.examine({}, AbortSignal.timeout(1_000))).toMatchObject([
    { status: 'failure', text: why },
  ]);
  await expect(host.prune({ isKnown: () => true, folders: [] })).rejects.toThrow(why);
  await host.close();
});
