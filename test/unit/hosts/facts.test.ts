import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { builtInConfiguration, withFile } from '../../../server/config/configuration.ts';
import { Fleet } from '../../../server/engine/fleet.ts';
import { hostFacts } from '../../../server/hosts/facts.ts';
import { FakeHost, noLogs, someFacts } from '../../support/fakeHost.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vbatch-facts-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const store = () => hostFacts(home, (message) => expect.fail(message));

it('keeps what a host has, and that it is let go of, for the next server', () => {
  expect([store().load('box'), store().isLetGo('box')]).toEqual([null, false]);
  store().save('box', someFacts);
  store().keepLetGo('box', true);
  expect([store().load('box'), store().isLetGo('box')]).toEqual([someFacts, true]);
  store().keepLetGo('box', false);
  store().keepLetGo('other', false);
  expect(store().isLetGo('box')).toBe(false);
});

it('does not connect to a host that the last server has let go of', () => {
  store().keepLetGo('box', true);
  const made: FakeHost[] = [];
  const fleet = new Fleet({
    local: new FakeHost(),
    make: ({ name }) => {
      const host = new FakeHost(name);
      made.push(host);
      return host;
    },
    broughtLogs: noLogs,
    facts: store(),
    log: () => {},
  });
  fleet.arrange([withFile(builtInConfiguration, { hosts: { box: {} } }, '/c.yaml', null)], () => true);
  expect(made[0]?.takeOrders()).toEqual(['disconnect']);
  expect(fleet.hosts.get('box')?.isLetGo).toBe(true);
});
