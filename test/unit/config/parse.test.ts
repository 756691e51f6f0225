import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtInConfiguration, withFile } from '../../../server/config/configuration.ts';
import { parseConfiguration } from '../../../server/config/parse.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';

const file = '/home/me/config.yaml';

function parse(text: string) {
  return parseConfiguration(text, file, builtInConfiguration);
}

/** The lines of the error, without the file's name. */
function mistakes(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof VbatchError)) throw error;
    expect(error.code).toBe('configuration');
    const lines = error.message.split('\n');
    for (const line of lines) expect(line.startsWith(`${file}:`)).toBe(true);
    return lines.map((line) => line.slice(file.length + 1));
  }
  throw new Error('no error');
}

describe('parseConfiguration', () => {
  it('accepts every key', () => {
    const text = `
ssh_config: ~/.ssh/other
hosts:
  gpu-box: {}
  big:
    ssh: "me@10.0.0.5:2222"
    transport: system
    folder: /scratch/me/vbatch
    cpus: 64
    memory: 256G
    gpus: 2
    gpu_order: [1, 0]
    slots_per_gpu: 2
    setup: "source ~/venv/bin/activate"
    env: {A: b}
  local: { cpus: 4, gpu_order: reverse, slots_per_gpu: 3 }
pools:
  gpu-1: { hosts: [gpu-box], gpus: 1, cpus: 8 }
  prep: { hosts: [big, local], cpus: 0.5, memory: 32G, slots: 4, env: { OMP_NUM_THREADS: 16 }, setup: "set -e" }
defaults: { pool: prep, grace: 1m30s }
`;
    expect(parse(text).hosts?.big).toEqual({
      ssh: 'me@10.0.0.5:2222',
      transport: 'system',
      folder: '/scratch/me/vbatch',
      cpus: 64,
      memory: '256G',
      gpus: 2,
      gpu_order: [1, 0],
      slots_per_gpu: 2,
      setup: 'source ~/venv/bin/activate',
      env: { A: 'b' },
    });
    expect(parse(text).pools?.prep).toEqual({
      hosts: ['big', 'local'],
      cpus: 0.5,
      memory: '32G',
      slots: 4,
      env: { OMP_NUM_THREADS: '16' },
      setup: 'set -e',
    });
  });

  it.each([
    '',
    '# nothing\n',
    '{}',
    'hosts:\npools:\ndefaults:\n',
    'hosts:\n  box:\npools:\n  p:\n    env:\n',
    ...['box', 'me@box', 'first.last@[fe80::1]:22', '[::1]', '10.0.0.5:65535', 'me@box.example.org:1'].map(
      (ssh) => `hosts: { a: { ssh: "${ssh}" } }`,
    ),
    ...['/', '~/x', '/a b'].map((path) => `hosts: { a: { folder: ${path}x } }`),
    ...['~/.ssh/other', '~', 'a~b', '/x'].map((path) => `ssh_config: "${path}"`),
    '\ufeff{}',
  ])('accepts %j', (text) => {
    expect(() => parse(text)).not.toThrow();
  });

  it('keeps the spelling of variables that YAML takes for numbers', () => {
    const { env } =
      parse('pools: { p: { env: { A: 1.10, B: 0x10, C: true, D: 007, E: "x", F: yes } } }').pools?.p ?? {};
    expect(env).toEqual({ A: '1.10', B: '0x10', C: 'true', D: '007', E: 'x', F: 'yes' });
  });

  it('leaves numbers that are no variables alone', () => {
    expect(parse('pools: { a: { cpus: &n 4, env: { N: *n } } }').pools?.a).toEqual({
      cpus: 4,
      env: { N: 4 },
    });
  });

  it.each([
    // Names that are not known.
    ['host: {}', '1:1: host is not a key of a configuration; did you mean "hosts"?'],
    ['colour: red', '1:1: colour is not a key of a configuration; known: ssh_config, hosts, pools, defaults'],
    ['hosts:\n  big: { cpu: 4 }', '2:10: hosts.big.cpu is not a key of a host; did you mean "cpus"?'],
    ['pools:\n  prep:\n    mem: 4G', '3:5: pools.prep.mem is not a key of a pool; did you mean "memory"?'],
    ['defaults: { pol: shell }', '1:13: defaults.pol is not a key of defaults; did you mean "pool"?'],
    [
      'pools: { p: { <<: {cpus: 1} } }',
      '1:15: pools.p."<<" is not a key of a pool; known: hosts, cpus, memory, gpus, slots, setup, env',
    ],
    [
      'hosts: { big: {} }\npools:\n  prep: { hosts: [local, bgi] }',
      '3:26: pools.prep.hosts[1] is "bgi", which is not among the hosts; did you mean "big"?',
    ],
    [
      'pools: { p: { hosts: [gpu-box] } }',
      '1:23: pools.p.hosts[0] is "gpu-box", which is not among the hosts; known: local',
    ],
    ['defaults: { pool: shel }', '1:19: defaults.pool is "shel", which is no pool; did you mean "shell"?'],
    // Wrong values.
    [
      'pools: { p: { cpus: many } }',
      '1:21: pools.p.cpus is "many"; it must be a number of CPUs, 0 or more; fractions such as 0.5 are fine',
    ],
    [
      'pools: { p: { cpus: -1 } }',
      '1:21: pools.p.cpus is -1; it must be a number of CPUs, 0 or more; fractions such as 0.5 are fine',
    ],
    [
      'pools: { p: { cpus: .inf } }',
      '1:21: pools.p.cpus is Infinity; it must be a number of CPUs, 0 or more; fractions such as 0.5 are fine',
    ],
    [
      'pools: { p: { gpus: 1.5 } }',
      '1:21: pools.p.gpus is 1.5; it must be a whole number of GPUs from 0 to 1024',
    ],
    ['pools: { p: { slots: 0 } }', '1:22: pools.p.slots is 0; it must be a whole number of tasks, 1 or more'],
    [
      'pools: { p: { memory: 32Q } }',
      '1:23: pools.p.memory is "32Q"; it must be a size: 32G, 512M, 1.5T or a plain number of bytes',
    ],
    [
      'pools: { p: { memory: 9999999P } }',
      '1:23: pools.p.memory is "9999999P"; it must be a size: 32G, 512M, 1.5T or a plain number of bytes',
    ],
    [
      'pools: { p: { memory: -5 } }',
      '1:23: pools.p.memory is -5; it must be a size: 32G, 512M, 1.5T or a plain number of bytes',
    ],
    [
      'pools: { p: { memory: [] } }',
      '1:23: pools.p.memory is a list; it must be a size: 32G, 512M, 1.5T or a plain number of bytes',
    ],
    [
      'pools: { p: { hosts: local } }',
      '1:22: pools.p.hosts is "local"; it must be a list of hosts, such as [local]',
    ],
    [
      'pools: { p: { hosts: [] } }',
      '1:22: pools.p.hosts is a list; it must be a list of at least one host, such as [local]',
    ],
    ['pools: { p: { hosts: [local, local] } }', '1:30: pools.p.hosts[1] names "local" a second time'],
    ['pools: { p: { setup: 5 } }', '1:22: pools.p.setup is 5; it must be shell lines'],
    [
      'pools: { p: { setup: "a\\0b" } }',
      '1:22: pools.p.setup is "a\\u0000b"; it must be shell lines, without NUL bytes',
    ],
    [
      'pools:\n  p:\n    cpus:',
      '3:10: pools.p.cpus is empty; it must be a number of CPUs, 0 or more; fractions such as 0.5 are fine',
    ],
    [
      'pools: { p: { env: { A: } } }',
      '1:25: pools.p.env.A is empty; it must be text, a number, true or false (write "" for an empty value)',
    ],
    [
      'pools: { p: { env: { A: [1] } } }',
      '1:25: pools.p.env.A is a list; it must be text, a number, true or false (write "" for an empty value)',
    ],
    [
      'pools: { p: { env: [A] } }',
      '1:20: pools.p.env is a list; it must be a mapping from names of variables to values, such as { OMP_NUM_THREADS: 16 }',
    ],
    [
      'pools: { p: { env: { "A=B": 1 } } }',
      '1:22: pools.p.env."A=B" is not the name of a variable: letters, digits and "_", not beginning with a digit',
    ],
    ['pools: { p: 4 }', '1:13: pools.p is 4; it must be a mapping, such as { hosts: [local], cpus: 8 }'],
    [
      'pools: { a@b: {} }',
      '1:10: pools."a@b" is not the name of a pool: names have only letters, digits, ".", "_" and "-", and begin with a letter or digit',
    ],
    [
      'hosts: { -x: {} }',
      '1:10: hosts.-x is not the name of a host: names have only letters, digits, ".", "_" and "-", and begin with a letter or digit',
    ],
    [
      'hosts: { "": {} }',
      '1:10: hosts."" is not the name of a host: names have only letters, digits, ".", "_" and "-", and begin with a letter or digit',
    ],
    ['hosts: [big]', '1:8: hosts is a list; it must be a mapping from names of hosts to hosts'],
    [
      'hosts: { big: me@box }',
      '1:15: hosts.big is "me@box"; it must be a mapping, such as { ssh: me@10.0.0.5 }, or {} where there is nothing to say',
    ],
    [
      'hosts: { big: { ssh: "-oProxyCommand=x" } }',
      '1:22: hosts.big.ssh is "-oProxyCommand=x"; it must be where to connect: HOST, USER@HOST or USER@HOST:PORT',
    ],
    [
      'hosts: { big: { ssh: "box:65536" } }',
      '1:22: hosts.big.ssh is "box:65536"; it must be where to connect: HOST, USER@HOST or USER@HOST:PORT, with a port up to 65535',
    ],
    [
      'hosts: { big: { ssh: "box:0" } }',
      '1:22: hosts.big.ssh is "box:0"; it must be where to connect: HOST, USER@HOST or USER@HOST:PORT',
    ],
    [
      'hosts: { big: { ssh: "ssh://box" } }',
      '1:22: hosts.big.ssh is "ssh://box"; it must be where to connect: HOST, USER@HOST or USER@HOST:PORT',
    ],
    ['hosts: { local: { ssh: box } }', '1:19: hosts.local.ssh cannot be set; local is this machine'],
    [
      'hosts: { local: { transport: ssh2 } }',
      '1:19: hosts.local.transport cannot be set; local is this machine',
    ],
    ['hosts: { local: { folder: /x } }', '1:19: hosts.local.folder cannot be set; local is this machine'],
    [
      'hosts: { big: { transport: openssh } }',
      '1:28: hosts.big.transport is "openssh"; it must be ssh2 (built in) or system (the ssh program of this machine)',
    ],
    ...['x', '~other/x', '/', '"/a\\nb"'].map((path) => [
      `hosts: { big: { folder: ${path} } }`,
      `1:25: hosts.big.folder is ${path.startsWith('"') ? path : `"${path}"`}; it must be an absolute path on the host, or one that begins with ~/`,
    ]),
    ...['[]', '[0, 0]', '[0.5]', '[a]'].map((order) => [
      `hosts: { big: { gpu_order: ${order} } }`,
      '1:28: hosts.big.gpu_order is a list; it must be reverse, or a list of indexes of GPUs, each once, such as [1, 0]',
    ]),
    [
      'hosts: { big: { gpu_order: [0, -1] } }',
      '1:32: hosts.big.gpu_order[1] is -1; it must be the index of a GPU, from 0 to 1023',
    ],
    [
      'hosts: { big: { gpu_order: last } }',
      '1:28: hosts.big.gpu_order is "last"; it must be reverse, or a list of indexes of GPUs, each once, such as [1, 0]',
    ],
    [
      'hosts: { big: { slots_per_gpu: 0 } }',
      '1:32: hosts.big.slots_per_gpu is 0; it must be a whole number of tasks, 1 or more',
    ],
    [
      'hosts: { big: { gpus: 1025 } }',
      '1:23: hosts.big.gpus is 1025; it must be a whole number of GPUs from 0 to 1024',
    ],
    [
      'hosts: { big: { gpu-order: reverse } }',
      '1:17: hosts.big.gpu-order is not a key of a host; did you mean "gpu_order"?',
    ],
    [
      'ssh_config: ~me/x',
      '1:13: ssh_config is "~me/x"; it must be the path of a file; only ~/ stands for a home folder',
    ],
    [
      'defaults: { grace: 10 }',
      '1:20: defaults.grace is 10; it must be a duration with its unit, up to a day: 10s, 90m, 2h, 1d or D-HH:MM:SS',
    ],
    [
      'defaults: { grace: "10" }',
      '1:20: defaults.grace is "10"; it must be a duration with its unit, up to a day: 10s, 90m, 2h, 1d or D-HH:MM:SS',
    ],
    [
      'defaults: { grace: "1:00:90" }',
      '1:20: defaults.grace is "1:00:90"; it must be a duration with its unit, up to a day: 10s, 90m, 2h, 1d or D-HH:MM:SS',
    ],
    [
      'defaults: { grace: 30d }',
      '1:20: defaults.grace is "30d"; it must be a duration with its unit, up to a day: 10s, 90m, 2h, 1d or D-HH:MM:SS',
    ],
    ['ssh_config: ""', '1:13: ssh_config is ""; it must be the path of a file'],
    // Files that are no mapping.
    [
      '- a',
      '1:1: the file is a list; it must be a mapping with the keys ssh_config, hosts, pools and defaults',
    ],
    [
      'hello',
      '1:1: the file is "hello"; it must be a mapping with the keys ssh_config, hosts, pools and defaults',
    ],
    [
      '# a\n\n42',
      '3:1: the file is 42; it must be a mapping with the keys ssh_config, hosts, pools and defaults',
    ],
    // YAML that is not right.
    ['pools:\n  a: {}\n  b: {}\n  a: {}', '4:3: pools.a is written twice, first on line 2'],
    ['hosts: {}\r\nhosts: {}', '2:1: hosts is written twice, first on line 1'],
    ['pools:\n\ta: {}', '2:1: a tab is used for indentation; use spaces'],
    ['pools: {}\n---\nhosts: {}', '2:1: a second YAML document begins here; a configuration is one document'],
    ['pools: { a: *x }', '1:13: the alias *x has no anchor &x before it'],
    ['? [a]\n: b', '1:3: a key must be a plain name'],
    ['pools: !mine {}', '1:8: not valid YAML: Unresolved tag: !mine'],
    [
      'pools: { a: {}',
      '1:15: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
    ],
  ])('refuses %j', (text, expected) => {
    expect(mistakes(text)[0]).toBe(expected);
  });

  it('follows aliases to the place of the mistake', () => {
    expect(mistakes('pools:\n  a: &a { cpus: x }\n  b: *a')).toEqual([
      expect.stringMatching(/^2:17: pools\.a\.cpus is "x"/),
      expect.stringMatching(/^2:17: pools\.b\.cpus is "x"/),
    ]);
  });

  it('tells the first five mistakes in the order of the file, and how many more there are', () => {
    const text = ['g', 'f', 'e', 'd', 'c', 'b', 'a'].map((name) => `${name}: 1`).join('\n');
    const lines = mistakes(text);
    expect(lines.slice(0, 5).map((line) => line.split(' ')[1])).toEqual(['g', 'f', 'e', 'd', 'c']);
    expect(lines.slice(5)).toEqual([' and 2 more problems']);
  });

  it('cuts a long value', () => {
    const [line = ''] = mistakes(`pools: { p: { cpus: ${'x'.repeat(10_000)} } }`);
    expect(line.length).toBeLessThan(250);
    expect(line).toContain('xxx…"');
  });

  it('refuses an alias bomb at once', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) =>
        `a${i}: &a${i} [${Array(12)
          .fill(i ? `*a${i - 1}` : 'x')
          .join()}]`,
    );
    const before = performance.now();
    expect(mistakes(levels.join('\n'))).toEqual(['1:1: uses one alias (*name) more than 100 times']);
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it.each(['[', '{a: ', '- ', '? '])('refuses a file of 100,000 × %j', (opening) => {
    expect(mistakes(opening.repeat(100_000))).toEqual(['1:1: is nested more than 100 levels deep']);
  });

  it('refuses a value that contains itself', () => {
    expect(mistakes('hosts: &a { big: *a }')).toEqual([
      expect.stringContaining('hosts.big.big is not a key of a host'),
    ]);
  });

  it('lets a file name the hosts and pools of the file below it', () => {
    const below = withFile(
      builtInConfiguration,
      parse('hosts: { big: {} }\npools: { prep: {} }'),
      file,
      null,
    );
    const text = 'pools: { p: { hosts: [big] } }\ndefaults: { pool: prep }';
    expect(() => parseConfiguration(text, '/w/.vbatch/config.yaml', below)).not.toThrow();
    expect(() => parse(text)).toThrow('which is not among the hosts');
  });

  it('takes a default pool that exists by itself', () => {
    expect(() => parse('defaults: { pool: cpu-4 }')).not.toThrow();
    expect(() => parse('defaults: { pool: gpu-a100 }')).not.toThrow();
  });

  it('answers any text with contents or a configuration error', () => {
    const words = ['hosts', 'pools', 'defaults', 'env', 'cpus', 'memory', 'local', 'p', '4', '1G', 'null'];
    const marks = [
      ': ',
      '\n',
      '\n  ',
      '\n    ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      ', ',
      '&a ',
      '*a',
      '"',
      "'",
      '!t ',
      '? ',
    ];
    const oddities = ['__proto__', '|', '#', '\t', '---\n', '<<: ', '%YAML 1.1\n', '\0', '\ud800'];
    const word = fc.constantFrom(...words, ...marks, ...oddities);
    const anyText = fc.oneof(
      fc.array(word, { maxLength: 40 }).map((parts) => parts.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(anyText, (text) => {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(VbatchError);
          expect((error as VbatchError).message).toMatch(/^\/home\/me\/config\.yaml:\d+:\d+: ./);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
