import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { builtInConfiguration } from '../../../server/config/configuration.ts';
import { addHost, removeHost } from '../../../server/config/edit.ts';
import { parseConfiguration } from '../../../server/config/parse.ts';

const file = '/home/me/config.yaml';
const add = (text: string, name = 'new', entry = {}) => addHost(text, file, name, entry);
const remove = (text: string, name: string) => removeHost(text, file, name);
const contentsOf = (text: string) => parseConfiguration(text, file, builtInConfiguration);

const mine = `# yaml-language-server: $schema=x

# Machines of the lab.
hosts:
  # under the desk
  gpu-box: {} # do not switch off

  # in the cellar
  big:
    ssh: 'me@10.0.0.5' # until May
    cpus: 064
    setup: |
      # a line of shell
      source "$HOME/venv/bin/activate"
    env: { A: 1.10, B: 0x0F, C: 007, D: "yes", E: +5, F: 1e3 }
pools:
  # for the night
  p: { cpus: 4 }
# the end
`;

describe('addHost', () => {
  it('puts a host below the others and leaves all else as it is, comments and spellings too', () => {
    const text = add(mine, 'new', { ssh: 'me@10.0.0.6:2222', cpus: 4 });
    const line = '  new: { ssh: me@10.0.0.6:2222, cpus: 4 }\n';
    expect(text).toBe(mine.replace('pools:', `${line}pools:`).replace('# the end', '\n# the end'));
  });

  it.each([
    ['', 'hosts:\n  new: {}\n'],
    ['# nothing yet\n', '# nothing yet\n\nhosts:\n  new: {}\n'],
    ['hosts:\n', 'hosts:\n  new: {}\n'],
    ['hosts: # mine\n  # below\npools: {}\n', 'hosts:\n  # mine\n  # below\n  new: {}\npools: {}\n'],
    ['hosts: {}\n', 'hosts:\n  new: {}\n'],
    ['hosts:\n  a:\n', 'hosts:\n  a:\n  new: {}\n'],
    ['hosts: { a: {} }\n', 'hosts: { a: {}, new: {} }\n'],
    ['{ hosts: {} }\n', '{ hosts: { new: {} } }\n'],
    ['pools: {}', 'pools: {}\nhosts:\n  new: {}\n'],
    ['---\nhosts:\n  a: {}\n...\n', '---\nhosts:\n  a: {}\n  new: {}\n...\n'],
    ['hosts:\r\n  a: {} # b\r\n', 'hosts:\r\n  a: {} # b\r\n  new: {}\r\n'],
    ['\ufeffhosts:\n  a: {}\n', '\ufeffhosts:\n  a: {}\n  new: {}\n'],
  ])('makes of %j what it should', (text, expected) => {
    expect(add(text)).toBe(expected);
  });

  it.each([
    ['new', '{}', '/home/me/config.yaml has a host "new" already; "vctl host remove new" removes it'],
    ['local', '{}', 'local is this machine, which is always there'],
  ])('refuses %s', (name, entry, message) => {
    expect(() => add(`hosts: { new: ${entry} }`, name)).toThrow(
      expect.objectContaining({ code: 'refused', message }),
    );
  });

  it('says what is wrong with a name or an entry', () => {
    const usage = (message: string) => expect.objectContaining({ code: 'usage', message });
    expect(() => add('', '-x')).toThrow(
      usage(
        'hosts.-x is not the name of a host: names have only letters, digits, ".", "_" and "-", and begin with a letter or digit',
      ),
    );
    expect(() => add('', 'x', { ssh: '-oProxyCommand=x' })).toThrow(
      usage(
        'hosts.x.ssh is "-oProxyCommand=x"; it must be where to connect: HOST, USER@HOST or USER@HOST:PORT',
      ),
    );
  });

  it('touches no file that has mistakes', () => {
    expect(() => add('hosts: 4')).toThrow(
      expect.objectContaining({
        code: 'configuration',
        message: `${file}:1:8: hosts is 4; it must be a mapping from names of hosts to hosts`,
      }),
    );
  });

  it.each(['defaults: &x {}\nhosts: *x', 'hosts: &x {}\npools: *x', 'hosts: &x\n  a: {}\npools: *x'])(
    'leaves %j to its owner: a host would appear elsewhere as well',
    (text) => {
      expect(() => add(text)).toThrow(
        expect.objectContaining({
          code: 'refused',
          message: `the hosts of ${file} are written in a way that only a person can change; edit it by hand`,
        }),
      );
    },
  );
});

describe('removeHost', () => {
  it('takes a host out, with the comment above it and nothing else', () => {
    expect(remove(mine, 'big')).toBe(
      mine.replace(/\n {2}# in the cellar\n.*?(?=pools:)/s, '').replace('# the end', '\n# the end'),
    );
    expect(remove(add(mine), 'new')).toBe(mine.replace('# the end', '\n# the end'));
  });

  it('takes the last one out', () => {
    const text = remove('# all\nhosts:\n  # the one\n  a: {}\n  # below\npools: {}\n', 'a');
    expect(text).toMatch(/^# all\nhosts:.*# below.*pools: \{\}\n$/s);
    expect(contentsOf(text)).toEqual({ hosts: {}, pools: {} });
    expect(contentsOf(add(text))).toEqual({ hosts: { new: {} }, pools: {} });
  });

  it.each([
    ['hosts: { big: {} }', 'bgi', `${file} has no host "bgi"; did you mean "big"?`],
    ['', 'big', `${file} has no host "big"; it has none`],
    [
      'hosts: { big: {} }\npools: { a: {}, prep: { hosts: [local, big] } }',
      'big',
      `pool prep runs on big; take it out of pools.prep.hosts in ${file} first`,
    ],
    [
      'hosts: { a: &x {}, b: *x }',
      'a',
      `the hosts of ${file} are written in a way that only a person can change; edit it by hand`,
    ],
  ])('refuses, of %j, %s', (text, name, message) => {
    expect(() => remove(text, name)).toThrow(expect.objectContaining({ code: 'refused', message }));
  });

  it('undoes what addHost has done, whatever else the file says', () => {
    const word = fc.constantFrom('a', 'b', 'constructor', '1', 'x.y');
    const entry = fc.record(
      {
        ssh: fc.constantFrom('me@box', '[::1]:22'),
        cpus: fc.nat(64),
        memory: fc.constantFrom('1.5T', 42),
        gpu_order: fc.constantFrom('reverse' as const, [1, 0]),
        setup: fc.constantFrom('set -e', ' a\n\n  b # c\n', '# x', 'a: b', 'x\n\n\n'),
        env: fc.dictionary(
          fc.constantFrom('A', 'B'),
          fc.oneof(fc.string().filter(noNul), fc.double({ noNaN: true, noDefaultInfinity: true })),
        ),
      },
      { requiredKeys: [] },
    );
    const whole = fc.record(
      {
        hosts: fc.dictionary(word, fc.option(entry)),
        pools: fc.dictionary(word, fc.constant({ cpus: 1 })),
        defaults: fc.constant({ grace: '10s' }),
      },
      { requiredKeys: [] },
    );
    const style = fc.record({
      collectionStyle: fc.constantFrom('any' as const, 'block' as const, 'flow' as const),
      indent: fc.integer({ min: 1, max: 5 }),
      defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const),
    });
    fc.assert(
      fc.property(whole, style, entry, (contents, how, added) => {
        const text = stringify(contents, how);
        const { hosts, ...rest } = parse(text);
        const more = add(text, 'new', added);
        expect(parse(more)).toEqual({ ...rest, hosts: { ...hosts, new: added } });
        expect(parse(remove(more, 'new'))).toEqual({ ...rest, hosts: { ...hosts } });
      }),
    );
  });
});

function noNul(text: string): boolean {
  return !text.includes('\0');
}
