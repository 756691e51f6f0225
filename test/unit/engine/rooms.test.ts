import { describe, expect, it } from 'vitest';
import { builtInConfiguration, type Configuration, withFile } from '../../../server/config/configuration.ts';
import { parseConfiguration } from '../../../server/config/parse.ts';
import { Fleet } from '../../../server/engine/fleet.ts';
import { Rooms } from '../../../server/engine/rooms.ts';
import type { HostFacts } from '../../../server/hosts/host.ts';
import { State } from '../../../server/model/state.ts';
import { FakeHost, noLogs, someFacts } from '../../support/fakeHost.ts';

function configured(text: string): Configuration {
  return withFile(
    builtInConfiguration,
    parseConfiguration(text, '/c.yaml', builtInConfiguration),
    '/c.yaml',
    null,
  );
}

/** Rooms of this configuration, where box was found to have such GPUs. */
async function roomsOf(text: string, ...gpuNames: string[]): Promise<Rooms> {
  const gpus = gpuNames.map((name) => ({ name, memory: 2 ** 34 }));
  const facts: HostFacts = { ...someFacts, gpus, address: '10.0.0.5' };
  const fleet = new Fleet({
    local: new FakeHost(),
    make: ({ name }) => new FakeHost(name),
    broughtLogs: noLogs,
    facts: {
      load: (name) => (name === 'box' ? facts : null),
      save: () => {},
      isLetGo: () => false,
      keepLetGo: () => {},
    },
    log: () => {},
  });
  const configuration = configured(text);
  const rooms = new Rooms(
    fleet,
    async () => configuration,
    () => true,
  );
  await rooms.refresh(null);
  return rooms;
}

describe('the GPUs of a host', () => {
  it('R24 are granted in the order and to as many tasks as the configuration says', async () => {
    const rooms = await roomsOf(
      'hosts: { box: { gpu_order: reverse, gpus: 2, slots_per_gpu: 3 } }',
      'A',
      'A',
      'A',
    );
    expect(rooms.host('box')).toMatchObject({ gpus: [2, 1], slotsPerGpu: 3, capacity: { gpus: 2 } });
    const plain = await roomsOf('hosts: { box: {} }', 'A', 'A');
    expect(plain.host('box')).toMatchObject({ gpus: [0, 1], slotsPerGpu: 1 });
  });

  it('R24 are all avoided until somebody has looked, and then those that others use', async () => {
    const rooms = await roomsOf('hosts: { box: {} }', 'A', 'A');
    expect([...(rooms.host('box')?.avoid.keys() ?? [])]).toEqual([0, 1]);
    const owner = { kind: 'user', name: 'bob', self: false } as const;
    const use = { index: 1, used: null, total: null, mayShowScreen: false };
    expect(rooms.gpuUse('box', [{ ...use, processes: [{ memory: null, owner }] }], new State(1), 1)).toBe(
      true,
    );
    expect([...(rooms.host('box')?.avoid ?? [])]).toEqual([[1, 'is used by another user (bob)']]);
    expect(rooms.gpuUse('box', [], new State(1), 2)).toBe(true);
    expect(rooms.host('box')?.avoid.size).toBe(0);
  });

  it('are not waited for where only the configuration knows of them', async () => {
    const rooms = await roomsOf('hosts: { box: { gpus: 2 } }');
    expect(rooms.host('box')).toMatchObject({ gpus: [0, 1], capacity: { gpus: 2 } });
    expect(rooms.host('box')?.avoid.size).toBe(0);
  });

  it('R25 of a model make a pool, on a host that has others as well', async () => {
    const rooms = await roomsOf(
      'hosts: { box: { gpu_order: [2, 0] } }',
      'NVIDIA A100',
      'NVIDIA T4',
      'NVIDIA A100',
    );
    expect(rooms.pool('gpu-a100')?.gpusOn).toEqual(new Map([['box', [2, 0]]]));
  });
});

it('R21 a host is reached by its address, by what ssh connects to, or by its name', async () => {
  const text = 'hosts: { box: {}, big: { address: big.lan }, third: {}, local: { address: 10.0.0.1 } }';
  const rooms = await roomsOf(text);
  const found = ['box', 'big', 'third', 'local'].map((host) => rooms.addressOf(host, null));
  expect(found).toEqual(['10.0.0.5', 'big.lan', 'third', '10.0.0.1']);
});
