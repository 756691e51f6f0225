import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtInConfiguration, type Configuration, withFile } from '../../../server/config/configuration.ts';
import { parseConfiguration } from '../../../server/config/parse.ts';
import {
  type Capacities,
  type HostCapacity,
  hostCapacity,
  listPools,
  poolByKey,
  resolvePool,
  usableGpus,
} from '../../../server/config/pools.ts';

const userFile = '/home/me/config.yaml';

function configured(
  text: string,
  below = builtInConfiguration,
  workspace: string | null = null,
): Configuration {
  const file = workspace === null ? userFile : `${workspace}/.vbatch/config.yaml`;
  return withFile(below, parseConfiguration(text, file, below), file, workspace);
}

function host(cpus: number, ...gpuNames: string[]): HostCapacity {
  return { cpus, memory: 2 ** 33, gpus: gpuNames.length, gpuIndexes: [...gpuNames.keys()], gpuNames };
}

const laptop: Capacities = new Map([['local', host(2)]]);
const cluster = configured('hosts: { big: {}, gpu-box: {} }');
const clusterRoom: Capacities = new Map([
  ['local', host(2)],
  ['big', host(48)],
  ['gpu-box', host(16, 'NVIDIA A100-SXM4-80GB', 'NVIDIA A100-SXM4-80GB')],
]);

function find(name: string, configuration = cluster, capacities = clusterRoom) {
  return resolvePool(configuration, capacities, name).pool;
}

describe('resolvePool', () => {
  it('R6 has pool shell on this machine, without limits', () => {
    for (const configuration of [builtInConfiguration, cluster]) {
      expect(resolvePool(configuration, laptop, 'shell')).toEqual({
        pool: {
          key: 'shell',
          name: 'shell',
          hosts: ['local'],
          shape: { cpus: 0, memory: 0, gpus: 0 },
          slots: null,
          environment: {},
          setup: '',
          source: 'built in',
          standIn: null,
        },
        notes: [],
      });
    }
  });

  it('R6 lets the configuration say otherwise about shell', () => {
    const pool = find('shell', configured('pools: { shell: { hosts: [local], slots: 3 } }'), laptop);
    expect(pool).toMatchObject({ key: 'shell', slots: 3, source: userFile });
  });

  it('takes a pool from the configuration as it is written', () => {
    const configuration = configured(
      'hosts: { big: {} }\npools: { prep: { hosts: [big, local], cpus: 0.5, memory: 32G, slots: 4, env: { A: 1.10 }, setup: set -u } }',
    );
    expect(find('prep', configuration)).toEqual({
      key: 'prep',
      name: 'prep',
      hosts: ['big', 'local'],
      shape: { cpus: 0.5, memory: 32 * 2 ** 30, gpus: 0 },
      slots: 4,
      environment: { A: '1.10' },
      setup: 'set -u',
      source: userFile,
      standIn: null,
    });
  });

  it('claims nothing for a pool that says nothing, and runs it on every host', () => {
    const pool = find('p', configured('hosts: { big: {} }\npools: { p: {} }'));
    expect(pool).toMatchObject({
      hosts: ['local', 'big'],
      shape: { cpus: 0, memory: 0, gpus: 0 },
      slots: null,
    });
  });

  it('R25 has cpu-N wherever a host is big enough', () => {
    expect(find('cpu-2').hosts).toEqual(['local', 'big', 'gpu-box']);
    expect(find('cpu-16').hosts).toEqual(['big', 'gpu-box']);
    expect(find('cpu-48')).toMatchObject({
      hosts: ['big'],
      shape: { cpus: 48, memory: 0, gpus: 0 },
      key: 'cpu-48',
    });
  });

  it('R25 has gpu-N wherever a host has as many GPUs', () => {
    expect(find('gpu-2')).toMatchObject({ hosts: ['gpu-box'], shape: { cpus: 0, memory: 0, gpus: 2 } });
  });

  it('R25 prefers what is configured to what exists by itself', () => {
    const configuration = configured('hosts: { big: {} }\npools: { cpu-2: { hosts: [big], cpus: 1 } }');
    expect(find('cpu-2', configuration)).toMatchObject({
      hosts: ['big'],
      shape: { cpus: 1 },
      source: userFile,
    });
  });

  it.each([
    ['cpu-49', 'there is no pool "cpu-49": no host has 49 CPUs'],
    ['gpu-3', 'there is no pool "gpu-3": no host has 3 GPUs'],
    ['gpu-h100', 'there is no pool "gpu-h100": no host has GPUs of model h100'],
    ['nowhere', 'there is no pool "nowhere"'],
    ['a\nb', 'there is no pool "a\\nb"'],
  ])('R25 refuses %s with the list of pools', (name, reason) => {
    const list = 'shell, cpu-1, cpu-2, cpu-4, cpu-8, cpu-16, cpu-32, cpu-48, gpu-1, gpu-2';
    expect(() => find(name)).toThrow(
      expect.objectContaining({ code: 'refused', message: `${reason}; pools: ${list}` }),
    );
  });

  it('R25 names the nearest pool', () => {
    expect(() => find('gpux')).toThrow(/pools: shell, .*, gpu-2 \(did you mean "gpu-1"\?\)$/);
    expect(() => find('sehll')).toThrow('(did you mean "shell"?)');
  });

  it.each([
    'cpu-0',
    'cpu-',
    'cpu-01',
    'cpu-1.5',
    'cpu-a100',
    'cpu-1e3',
    'gpu-0',
    'gpu-1x',
    'gpu-',
    'CPU-1',
    'cpu-1@/w',
    '__proto__',
  ])('R25 knows no pool %s', (name) => {
    expect(() => find(name)).toThrow(/^there is no pool "/);
    expect(() => find(name, builtInConfiguration, laptop)).toThrow(/^there is no pool "/);
  });

  it('R25 counts on hosts that nobody has reached yet', () => {
    const capacities = new Map([['local', host(2)]]);
    expect(find('cpu-16', cluster, capacities).hosts).toEqual(['big', 'gpu-box']);
    expect(find('gpu-a100', cluster, capacities).hosts).toEqual(['big', 'gpu-box']);
  });

  describe('gpu-MODEL', () => {
    const configuration = configured('hosts: { box: {} }');
    function hostsWith(name: string, ...gpuNames: string[]): readonly string[] | null {
      const capacities = new Map([
        ['local', host(2)],
        ['box', host(2, ...gpuNames)],
      ]);
      try {
        return find(name, configuration, capacities).hosts;
      } catch {
        return null;
      }
    }

    it.each([
      ['gpu-a100', 'NVIDIA A100-SXM4-80GB'],
      ['gpu-A100', 'NVIDIA A100 80GB PCIe'],
      ['gpu-rtx-4090', 'NVIDIA GeForce RTX 4090'],
      ['gpu-rtx4090', 'NVIDIA GeForce RTX 4090'],
      ['gpu-mi300x', 'AMD Instinct MI300X'],
      ['gpu-nvidia', 'NVIDIA T4'],
    ])('R25 finds %s in %s', (name, gpu) => {
      expect(hostsWith(name, gpu)).toEqual(['box']);
      expect(find(name, configuration, new Map([['box', host(2, gpu, gpu)]])).shape.gpus).toBe(1);
    });

    it.each([
      ['gpu-a10', 'NVIDIA A100-SXM4-80GB'],
      ['gpu-l4', 'NVIDIA L40S'],
      ['gpu-h100', 'NVIDIA A100-SXM4-80GB'],
      ['gpu-a.00', 'NVIDIA A100-SXM4-80GB'],
    ])('R25 does not find %s in %s', (name, gpu) => {
      expect(hostsWith(name, gpu)).toBeNull();
    });

    it('R25 means the GPUs of that model where a host has several', () => {
      const capacities = new Map([
        ['local', host(2)],
        ['box', host(2, 'NVIDIA T400', 'NVIDIA A100', 'NVIDIA A100')],
      ]);
      expect(find('gpu-a100', configuration, capacities).gpusOn).toEqual(new Map([['box', [1, 2]]]));
      expect(find('gpu-nvidia', configuration, capacities).gpusOn).toEqual(new Map([['box', [0, 1, 2]]]));
      expect(find('gpu-1', configuration, capacities).gpusOn).toBeUndefined();
      const alone = new Map([['local', host(2, 'NVIDIA T400', 'NVIDIA A100')]]);
      const { pool, notes } = resolvePool(builtInConfiguration, alone, 'gpu-a100');
      expect([pool.gpusOn, notes]).toEqual([new Map([['local', [1]]]), []]);
    });
  });
});

describe('the stand-in', () => {
  function standIn(name: string, capacity: HostCapacity, configuration = builtInConfiguration) {
    const { pool, notes } = resolvePool(configuration, new Map([['local', capacity]]), name);
    expect(pool.hosts).toEqual(['local']);
    return { shape: pool.shape, wanted: pool.standIn?.wanted, notes };
  }

  it.each([
    ['cpu-16', host(2), { cpus: 2 }, 'this machine has 2 CPUs: pool cpu-16 uses all of them here'],
    ['cpu-16', host(1), { cpus: 1 }, 'this machine has 1 CPU: pool cpu-16 uses it here'],
    ['cpu-16', host(2.5), { cpus: 2.5 }, 'this machine has 2.5 CPUs: pool cpu-16 uses all of them here'],
    ['gpu-1', host(2), { cpus: 1 }, 'this machine has no GPU: pool gpu-1 runs without one here'],
    ['gpu-4', host(2, 'T4', 'T4'), { gpus: 2 }, 'this machine has 2 GPUs: pool gpu-4 uses all of them here'],
    ['gpu-4', host(2, 'T4'), { gpus: 1 }, 'this machine has 1 GPU: pool gpu-4 uses it here'],
    ['gpu-a100', host(2), { cpus: 1 }, 'this machine has no GPU: pool gpu-a100 runs without one here'],
    ['gpu-a100', host(2, 'T4'), { gpus: 1 }, 'the GPU of this machine is T4: pool gpu-a100 uses it here'],
  ])('cuts %s down to %j', (name, capacity, shape, note) => {
    const found = standIn(name, capacity);
    expect(found.shape).toEqual({ cpus: 0, memory: 0, gpus: 0, ...shape });
    expect(found.wanted).toEqual(
      name.startsWith('cpu') ? { cpus: 16, memory: 0, gpus: 0 } : expect.anything(),
    );
    expect(found.notes).toEqual([note]);
  });

  it('says nothing where this machine has it all', () => {
    expect(standIn('cpu-2', host(2)).notes).toEqual([]);
    expect(standIn('gpu-t4', host(2, 'Tesla T4'))).toEqual({
      shape: { cpus: 0, memory: 0, gpus: 1 },
      wanted: undefined,
      notes: [],
    });
  });

  it('goes on where only local is configured, and ends with the first other host', () => {
    expect(standIn('cpu-16', host(4), configured('hosts: { local: { cpus: 4 } }')).shape.cpus).toBe(4);
    expect(() =>
      resolvePool(configured('hosts: { box: {} }'), new Map([...laptop, ['box', host(8)]]), 'cpu-16'),
    ).toThrow('no host has 16 CPUs');
  });

  it('asks for the whole shape until this machine has been measured', () => {
    const { pool, notes } = resolvePool(builtInConfiguration, new Map(), 'cpu-16');
    expect(pool).toMatchObject({ hosts: ['local'], shape: { cpus: 16 }, standIn: null });
    expect(notes).toEqual([]);
  });

  it('never asks for more than there is', () => {
    const name = fc.oneof(
      fc
        .tuple(fc.constantFrom('cpu', 'gpu'), fc.integer({ min: 1, max: 999_999 }))
        .map((parts) => parts.join('-')),
      fc.constantFrom('gpu-a100', 'gpu-t4'),
    );
    const capacity = fc.tuple(
      fc.integer({ min: 0, max: 512 }),
      fc.array(fc.constantFrom('T4', 'A100'), { maxLength: 8 }),
    );
    fc.assert(
      fc.property(name, capacity, (asked, [cpus, gpuNames]) => {
        const { shape, wanted } = standIn(asked, host(cpus, ...gpuNames));
        expect(shape.cpus).toBeLessThanOrEqual(cpus);
        expect(shape.gpus).toBeLessThanOrEqual(gpuNames.length);
        const isCut = wanted !== undefined && (shape.cpus < wanted.cpus || shape.gpus < wanted.gpus);
        const isWhole = wanted === undefined || /gpu-[at]/.test(asked);
        expect(isCut || isWhole).toBe(true);
      }),
    );
  });
});

describe('listPools', () => {
  it('shows what is configured, and how far the others go', () => {
    const configuration = configured(
      'hosts: { big: {}, gpu-box: {} }\npools: { prep: {}, cpu-4: { cpus: 3 } }',
    );
    const pools = listPools(configuration, clusterRoom);
    expect(pools.map((pool) => pool.name)).toEqual([
      'shell',
      'prep',
      'cpu-4',
      'cpu-1',
      'cpu-2',
      'cpu-8',
      'cpu-16',
      'cpu-32',
      'cpu-48',
      'gpu-1',
      'gpu-2',
    ]);
    expect(pools.find((pool) => pool.name === 'cpu-4')?.shape.cpus).toBe(3);
  });

  it('does not list a size twice, nor one that is not there', () => {
    const names = (capacity: HostCapacity) =>
      listPools(builtInConfiguration, new Map([['local', capacity]])).map((pool) => pool.name);
    expect(names(host(4))).toEqual(['shell', 'cpu-1', 'cpu-2', 'cpu-4']);
    expect(names(host(1))).toEqual(['shell', 'cpu-1']);
    expect(names(host(0.5))).toEqual(['shell']);
    expect(listPools(builtInConfiguration, new Map()).map((pool) => pool.name)).toEqual(['shell']);
  });

  it('leaves out what only hosts of others could hold', () => {
    const names = listPools(builtInConfiguration, clusterRoom).map((pool) => pool.name);
    expect(names).toEqual(['shell', 'cpu-1', 'cpu-2']);
  });
});

describe('poolByKey', () => {
  const workspace = '/home/me/a@b';
  const user = configured('hosts: { big: {} }\npools: { prep: { cpus: 1 }, train: {} }');
  const layered = configured('pools: { prep: { cpus: 2 }, own: {} }', user, workspace);

  it('finds every listed pool by its key', () => {
    for (const pool of listPools(layered, clusterRoom)) {
      expect(poolByKey(layered, clusterRoom, pool.key)).toEqual(pool);
    }
  });

  it('tells the pool of the user from that of a workspace', () => {
    expect(find('prep', layered).key).toBe(`prep@${workspace}`);
    expect(poolByKey(layered, clusterRoom, `prep@${workspace}`)?.shape.cpus).toBe(2);
    expect(poolByKey(layered, clusterRoom, 'prep')?.shape.cpus).toBe(1);
    expect(poolByKey(user, clusterRoom, `prep@${workspace}`)).toBeNull();
    expect(poolByKey(layered, clusterRoom, 'prep@/elsewhere')).toBeNull();
  });

  it('is null once the pool is gone', () => {
    expect(poolByKey(builtInConfiguration, laptop, 'prep')).toBeNull();
    expect(poolByKey(user, clusterRoom, 'cpu-999')).toBeNull();
    expect(poolByKey(user, clusterRoom, '')).toBeNull();
  });

  it('finds pools that exist by themselves, shared by all who have the same hosts', () => {
    expect(find('cpu-16', layered).key).toBe('cpu-16');
    const ownHosts = configured('hosts: { huge: {} }', user, workspace);
    const capacities = new Map([...clusterRoom, ['huge', host(128)]]);
    const pool = find('cpu-128', ownHosts, capacities);
    expect(pool).toMatchObject({ key: `cpu-128@${workspace}`, hosts: ['huge'] });
    expect(poolByKey(ownHosts, capacities, pool.key)).toEqual(pool);
    expect(poolByKey(user, capacities, pool.key)).toBeNull();
  });
});

describe('hostCapacity', () => {
  const box = (text: string) => {
    const settings = configured(`hosts: { box: ${text} }`).hosts.get('box');
    if (settings === undefined) throw new Error('no such host');
    return settings;
  };

  it('prefers what is configured to what is detected', () => {
    const detected = host(16, 'T4', 'T4');
    expect(hostCapacity(box('{}'), detected)).toEqual(detected);
    expect(hostCapacity(box('{ cpus: 4, memory: 1K, gpus: 1 }'), detected)).toEqual({
      cpus: 4,
      memory: 1024,
      gpus: 1,
      gpuIndexes: [0],
      gpuNames: ['T4'],
    });
  });

  it('counts the GPUs that tasks may use, not the first ones that there are', () => {
    const detected = host(16, 'T4', 'T4', 'A100');
    const names = (text: string) => hostCapacity(box(text), detected)?.gpuNames;
    expect(names('{ gpus: 2 }')).toEqual(['T4', 'T4']);
    expect(names('{ gpus: 1, gpu_order: reverse }')).toEqual(['A100']);
    expect(names('{ gpus: 2, gpu_order: [1, 2] }')).toEqual(['T4', 'A100']);
  });

  it.each([
    ['{}', 3, [0, 1, 2]],
    ['{ gpus: 2 }', 3, [0, 1]],
    ['{ gpu_order: reverse }', 3, [2, 1, 0]],
    ['{ gpu_order: reverse, gpus: 2 }', 3, [2, 1]],
    ['{ gpu_order: [2] }', 3, [2, 0, 1]],
    ['{ gpu_order: [1, 2, 0], gpus: 2 }', 3, [1, 2]],
    ['{ gpu_order: [7, 1] }', 2, [1, 0]],
    ['{ gpus: 2 }', 0, [0, 1]],
    ['{ gpus: 0 }', 2, []],
    ['{ gpu_order: [0] }', 0, []],
  ])('grants with %s the GPUs of %i in the order %j', (text, found, order) => {
    expect(usableGpus(box(text), found)).toEqual(order);
  });

  it('is unknown until all of it is configured or detected', () => {
    expect(hostCapacity(box('{}'), null)).toBeNull();
    expect(hostCapacity(box('{ cpus: 4, memory: 1K }'), null)).toBeNull();
    expect(hostCapacity(box('{ cpus: 4, memory: 1K, gpus: 0 }'), null)).toEqual({
      cpus: 4,
      memory: 1024,
      gpus: 0,
      gpuIndexes: [],
      gpuNames: [],
    });
  });
});
