import { describe, expect, it } from 'vitest';
import { cgroupLimits, nvidia, rocm } from '../../../server/hosts/detect.ts';

const mebibyte = 1024 * 1024;

describe('GPUs', () => {
  it('are read from what nvidia-smi prints', () => {
    expect(nvidia.parse('0, NVIDIA A100-SXM4-80GB, 81920\n1, NVIDIA A100-SXM4-80GB, 81920\n')).toEqual([
      { name: 'NVIDIA A100-SXM4-80GB', memory: 81920 * mebibyte },
      { name: 'NVIDIA A100-SXM4-80GB', memory: 81920 * mebibyte },
    ]);
    expect(nvidia.parse('0, NVIDIA GH200, a name with a comma, [N/A]\n')).toEqual([
      { name: 'NVIDIA GH200, a name with a comma', memory: 0 },
    ]);
    expect(nvidia.parse('No devices were found\n')).toEqual([]);
    expect(nvidia.parse('')).toEqual([]);
  });

  it('are read from what rocm-smi prints, old and new', () => {
    const recent = JSON.stringify({
      card1: {
        'VRAM Total Memory (B)': '67108864',
        'VRAM Total Used Memory (B)': '26079232',
        'Card Series': 'Raphael',
        'Card Model': '0x164e',
      },
      card0: {
        'VRAM Total Memory (B)': '21458059264',
        'VRAM Total Used Memory (B)': '27856896',
        'Card Series': 'Radeon RX 7900 XT',
        'Card Model': '0x744c',
      },
      system: { 'Driver version': '6.8.5' },
    });
    expect(rocm.parse(recent)).toEqual([
      { name: 'Radeon RX 7900 XT', memory: 21458059264 },
      { name: 'Raphael', memory: 67108864 },
    ]);
    const older = `WARNING: AMD GPU device(s) is/are in a low-power state.\n\n${JSON.stringify({
      card0: { 'Card series': 'Arcturus GL-XL [AMD Instinct MI100]', 'VRAM Total Memory (B)': '34342961152' },
    })}\n`;
    expect(rocm.parse(older)).toEqual([{ name: 'Arcturus GL-XL [AMD Instinct MI100]', memory: 34342961152 }]);
    expect(rocm.parse('{"card0": {}}')).toEqual([{ name: 'AMD GPU', memory: 0 }]);
  });
});

describe('limits of control groups', () => {
  const limits = (files: Record<string, string>) => cgroupLimits((path) => files[path] ?? null);

  it('are none where there are no groups', () => {
    expect(limits({})).toEqual({ cpus: Number.POSITIVE_INFINITY, memory: Number.POSITIVE_INFINITY });
  });

  it('are the narrowest of a group and those above it, in version 2', () => {
    expect(
      limits({
        '/proc/self/cgroup': '0::/user.slice/job\n',
        '/sys/fs/cgroup/user.slice/job/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/user.slice/cpu.max': '150000 100000\n',
        '/sys/fs/cgroup/user.slice/job/memory.max': '1073741824\n',
        '/sys/fs/cgroup/user.slice/memory.max': 'max\n',
      }),
    ).toEqual({ cpus: 1.5, memory: 1073741824 });
    // Inside a container its own group is the root.
    expect(limits({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '400000 100000\n' }).cpus).toBe(
      4,
    );
  });

  it('are read in version 1, also where the path is that outside the container', () => {
    expect(
      limits({
        '/proc/self/cgroup': '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/x\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '2147483648\n',
      }),
    ).toEqual({ cpus: 2, memory: 2147483648 });
    expect(
      limits({
        '/proc/self/cgroup': '5:cpu,cpuacct:/\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      }).cpus,
    ).toBe(Number.POSITIVE_INFINITY);
  });
});
