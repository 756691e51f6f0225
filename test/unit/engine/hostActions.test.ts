import { describe, expect, it } from 'vitest';
import { builtInConfiguration, withFile } from '../../../server/config/configuration.ts';
import { HostActions } from '../../../server/engine/hostActions.ts';
import { HostFile } from '../../../server/engine/hostFile.ts';
import type { Publication } from '../../../server/engine/service.ts';
import { State } from '../../../server/model/state.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import { FakeHost, someFacts } from '../../support/fakeHost.ts';
import { keyQuestion } from '../../support/fakeHosts.ts';
import { makeEngine } from './fixture.ts';

const userFile = '/home/ada/.config/vbatch/config.yaml';
const signal = new AbortController().signal;

/** An engine with a host `box` besides `local`. */
async function withBox() {
  const configuration = withFile(builtInConfiguration, { hosts: { box: { cpus: 2 } } }, userFile, null);
  const made = makeEngine(new State(3), configuration);
  const { state, fleet, rooms, engine } = made;
  const file = new HostFile({ file: userFile, leadsToHost: async () => true });
  const hosts = new HostActions({ state, fleet, rooms, file });
  await engine.hosts();
  const box = rooms.hosts.get('box')?.host;
  if (!(box instanceof FakeHost)) throw new Error('there is no box');
  const viewOf = async () => (await engine.hosts()).find(({ name }) => name === 'box');
  return { ...made, hosts, box, viewOf };
}

describe('connecting a host', () => {
  it('leads to a question, and by its answer to a host that is online', async () => {
    const { hosts, box, viewOf } = await withBox();
    box.asking = async () => {
      box.question = keyQuestion;
      return keyQuestion;
    };
    const asked = await hosts.connect('box', null, signal);
    expect(asked).toMatchObject({
      host: { state: 'connecting', question: 'hostKey' },
      question: keyQuestion,
    });
    expect(await viewOf()).toMatchObject({ question: 'hostKey' });
    box.asking = async () => {
      box.question = null;
      box.reports.online(someFacts);
      return null;
    };
    const online = await hosts.answer('box', { id: 'q1', answer: 'yes' }, signal);
    expect(online).toMatchObject({ host: { state: 'online', question: null }, question: null });
    expect(box.takeOrders()).toEqual(['connect', 'answer q1 yes']);
  });

  it('has others tried again that may need the same key', async () => {
    const { hosts, box, host } = await withBox();
    host.question = { ...keyQuestion, kind: 'passphrase' };
    await hosts.answer('box', { id: 'q1', answer: 'open' }, signal);
    expect(host.takeOrders()).toEqual(['retry']);
    host.question = keyQuestion;
    await hosts.answer('box', { id: 'q2', answer: 'yes' }, signal);
    expect([host.takeOrders(), box.takeOrders()]).toEqual([[], ['answer q1 open', 'answer q2 yes']]);
  });

  it('tells clients when something is asked', async () => {
    const { engine, box } = await withBox();
    const published: Publication[] = [];
    engine.subscribe((publication) => published.push(publication));
    box.reports.asks();
    expect(published).toEqual([{ type: 'hosts' }]);
  });

  it('fails for what it fails for', async () => {
    const { hosts, box } = await withBox();
    box.asking = async () => {
      throw new VbatchError('refused', 'The host key has changed.');
    };
    await expect(hosts.connect('box', null, signal)).rejects.toThrow('The host key has changed.');
  });

  it('names the nearest host, and the file where hosts are named', async () => {
    const { hosts } = await withBox();
    await expect(hosts.connect('bxo', null, signal)).rejects.toMatchObject({
      code: 'notFound',
      message: expect.stringMatching(
        /there is no host "bxo": .*config\.yaml does not name it; .*did you mean box\?/,
      ),
    });
  });
});

describe('disconnecting a host', () => {
  it('lasts until it is connected', async () => {
    const { hosts, box, fleet, viewOf } = await withBox();
    box.reports.online(someFacts);
    expect(await hosts.disconnect('box')).toMatchObject({ name: 'box', state: 'disconnected' });
    box.reports.offline('it was let go of');
    expect(await viewOf()).toMatchObject({ state: 'disconnected', reason: 'it was let go of' });
    box.asking = async () => {
      box.reports.online(someFacts);
      return null;
    };
    expect(await hosts.connect('box', null, signal)).toMatchObject({ host: { state: 'online' } });
    expect(box.takeOrders()).toEqual(['disconnect', 'connect']);
    expect(fleet.hosts.get('box')?.isLetGo).toBe(false);
  });

  it('is nothing for this machine', async () => {
    const { hosts } = await withBox();
    await expect(hosts.disconnect('local')).rejects.toMatchObject({ code: 'refused' });
  });
});

it('checks a host with what is configured of it', async () => {
  const { hosts } = await withBox();
  expect(await hosts.check('box', null, signal)).toEqual({
    host: 'box',
    findings: [{ topic: 'room', status: 'ok', text: '{"cpus":2}', fix: null }],
  });
});

it('takes none out of the file while tasks run there, unless it is forced', async () => {
  const { hosts, box, host, submit, engine, rooms } = await withBox();
  box.reports.online(someFacts);
  host.reports.online({ ...someFacts, cpus: 0 });
  await engine.pools(null);
  await submit({ name: 'a', pool: 'cpu-1' });
  expect(rooms.hosts.get('box')?.online).toBe(true);
  await expect(hosts.remove('box', false)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('1 task runs on box'),
  });
  // There is no such file.
  await expect(hosts.remove('box', true)).rejects.toThrow('has no host "box"');
});

it('prunes attempts that are not known, and none that are', async () => {
  const { hosts, box, host, submit, engine } = await withBox();
  host.reports.online(someFacts);
  box.reports.online(someFacts);
  await engine.pools(null);
  await submit({ name: 'a' });
  box.leftovers = ['1.1', '1.2', '99.1'];
  expect(await hosts.prune('box', [])).toMatchObject({ attempts: 2 });
});
