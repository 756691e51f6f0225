import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nvidia, rocm } from '../../../server/hosts/detect.ts';
import { readGpuUse } from '../../../server/hosts/gpuUse.ts';

const fixtures = new URL('../../fixtures/gpus/', import.meta.url);
const mebibyte = 1024 * 1024;

function fixture(driver: string, file: string): string {
  return readFileSync(new URL(`${driver}/${file}`, fixtures), 'utf8');
}

/** What gpus.sh leaves where the drivers' tools say this. */
function lookAt(driver: string, more: readonly string[] = []): ReturnType<typeof readGpuUse> {
  const files = {
    nvidia: 'gpus.csv',
    'nvidia-app': 'apps.csv',
    rocm: 'memory.json',
    'rocm-pid': 'pids.txt',
  };
  const lines = Object.entries(files).flatMap(([name, file]) =>
    driver.startsWith(name.split('-')[0] ?? '')
      ? fixture(driver, file)
          .split('\n')
          .map((line) => `${name} ${line}`)
      : [],
  );
  return readGpuUse([...lines, ...more, 'end', ''].join('\n'));
}

const hidden = { kind: 'hidden' } as const;
const disabled = { mayShowScreen: false };

describe('GPUs in use', () => {
  it('are those that nvidia-smi lists, each process with its owner', () => {
    const owners = ['attempt 20117 17.1', 'self ada', 'owner 3012 bob', 'owner 3013 bob', 'owner 8840 ada'];
    const bob = { kind: 'user', name: 'bob', self: false };
    const ada = { kind: 'user', name: 'ada', self: true };
    const total = 81_920 * mebibyte;
    expect(lookAt('nvidia-535-shared', owners)).toEqual([
      {
        index: 0,
        used: 20_480 * mebibyte,
        total,
        ...disabled,
        processes: [{ memory: 20_472 * mebibyte, owner: { kind: 'attempt', key: '17.1' } }],
      },
      { index: 1, used: 4 * mebibyte, total, ...disabled, processes: [] },
      {
        index: 2,
        used: 31_772 * mebibyte,
        total,
        ...disabled,
        processes: [
          { memory: 30_720 * mebibyte, owner: bob },
          { memory: 1_024 * mebibyte, owner: bob },
        ],
      },
      {
        index: 3,
        used: 1_507 * mebibyte,
        total,
        ...disabled,
        processes: [{ memory: 1_498 * mebibyte, owner: ada }],
      },
    ]);
  });

  it.each([
    ['nvidia-390-idle', [10, 10], [[], []]],
    ['nvidia-470-desktop', [1_934], [[]]],
    ['nvidia-535-lost', [3, null], [[], [null]]],
    ['nvidia-545-container', [29_348, 17_211], [[29_340], []]],
    ['nvidia-550-mig', [null, 19_968], [[null], []]],
    ['nvidia-560-wsl', [6_411], [[null]]],
    ['nvidia-580-unified', [null], [[11_264]]],
    ['nvidia-no-driver', [], []],
  ])('are read from %s, in MiB: %j, processes %j', (driver, used, processes) => {
    const mib = (bytes: number | null) => (bytes === null ? null : bytes / mebibyte);
    const found = lookAt(driver);
    expect(found.map((gpu) => mib(gpu.used))).toEqual(used);
    expect(found.map((gpu) => gpu.processes.map(({ memory }) => mib(memory)))).toEqual(processes);
    // Nothing was said of whose processes they are.
    for (const { owner } of found.flatMap((gpu) => gpu.processes)) expect(owner).toEqual(hidden);
  });

  it('may drive a screen where the driver does not say that they do not', () => {
    expect(lookAt('nvidia-470-desktop')[0]?.mayShowScreen).toBe(true);
    expect(lookAt('nvidia-535-lost').map((gpu) => gpu.mayShowScreen)).toEqual([false, true]);
  });

  it('are those that rocm-smi lists', () => {
    const owners = ['self ada', 'owner 55573 bob'];
    expect(lookAt('rocm-5.4', owners)).toEqual([
      {
        index: 0,
        used: 40_813_871_104,
        total: 68_702_699_520,
        mayShowScreen: true,
        processes: [{ memory: 40_802_963_456, owner: { kind: 'user', name: 'bob', self: false } }],
      },
      { index: 1, used: 10_854_400, total: 68_702_699_520, mayShowScreen: true, processes: [] },
    ]);
    expect(lookAt('rocm-3.5')).toMatchObject([{ used: 11_272_192, processes: [] }]);
    expect(lookAt('rocm-6.2').map((gpu) => gpu.processes)).toEqual([
      [{ memory: 177_386_942_464, owner: hidden }],
      // Of a process on two GPUs only the sum is told.
      [{ memory: null, owner: hidden }],
      [{ memory: null, owner: hidden }],
    ]);
  });

  it('are none where the tools say nothing, or the look was cut short', () => {
    expect(readGpuUse('nvidia 0, GPU-1, 5, 10, Disabled\nnvidia-app GPU')).toEqual([]);
    expect(readGpuUse('\nend\n')).toEqual([]);
    for (const said of [
      'WARNING: No JSON data to report',
      '{"card0": 5}',
      '{',
      'null',
      '[1]',
      '{"system": null}',
    ])
      expect(readGpuUse(`rocm ${said}\nrocm-pid None\nend\n`)).toEqual([]);
  });
});

describe('the list of GPUs', () => {
  it.each([
    ['nvidia-390-idle', ['GeForce GTX 1080 Ti', 'GeForce GTX 1080 Ti'], [11_178, 11_178]],
    ['nvidia-535-lost', ['NVIDIA RTX A6000', 'NVIDIA RTX A6000'], [49_140, 0]],
    ['nvidia-580-unified', ['NVIDIA GB10'], [0]],
    ['nvidia-no-driver', [], []],
    ['rocm-3.5', ['Vega 20'], [16_368]],
    ['rocm-6.2', Array(3).fill('AMD Instinct MI300X OAM'), Array(3).fill(196_592)],
  ])('is read from %s', (driver, names, mib) => {
    const isNvidia = driver.startsWith('nvidia');
    const text = fixture(driver, isNvidia ? 'list.csv' : 'product.json');
    const found = isNvidia ? nvidia.parse(text) : rocm.parse(text);
    expect(found.map((gpu) => gpu.name)).toEqual(names);
    expect(found.map((gpu) => Math.floor(gpu.memory / mebibyte))).toEqual(mib);
  });

  it('has as many as are looked at, in every driver', () => {
    for (const driver of readdirSync(fixtures).filter((name) => !name.includes('.md'))) {
      const isNvidia = driver.startsWith('nvidia');
      const text = fixture(driver, isNvidia ? 'list.csv' : 'product.json');
      const listed = isNvidia ? nvidia.parse(text) : rocm.parse(text);
      expect(lookAt(driver).map((gpu) => gpu.index)).toEqual([...listed.keys()]);
    }
  });
});
