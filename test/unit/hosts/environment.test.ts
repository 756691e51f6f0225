import { describe, expect, it } from 'vitest';
import {
  environmentChange,
  parseEnviron,
  parseExports,
  splitAssignments,
  withoutOwn,
} from '../../../server/hosts/environment.ts';

const parse = (text: string) => Object.fromEntries(parseExports(Buffer.from(text, 'latin1')));

describe('parseExports', () => {
  it('reads the three ways of quoting', () => {
    expect(parse(`export A='it'"'"'s'\nexport B='two\nlines'\nexport C=''\n`)).toEqual({
      A: "it's",
      B: 'two\nlines',
      C: '',
    });
    expect(parse('declare -x A="\\$x \\`y\\` \\\\ \\" !"\ndeclare -rx B="1"\nexport C="plain"\n')).toEqual({
      A: '$x `y` \\ " !',
      B: '1',
      C: 'plain',
    });
    expect(parse(`declare -x A=$'a\\nb\\t\\E\\'\\\\\\001\\377\\x41'\n`)).toEqual({
      A: "a\nb\t\x1b'\\\x01\udcffA",
    });
    expect(parse('export A=plain\nexport B=a\\ b\n')).toEqual({ A: 'plain', B: 'a b' });
  });

  it('leaves out names without a value', () => {
    expect(parse("declare -x OLDPWD\nexport NOTHING\nexport A='1'\n")).toEqual({ A: '1' });
  });

  it('stops at what it cannot read', () => {
    expect(parse("export A='1'\nexport B='unterminated")).toEqual({ A: '1' });
    expect(parse("export A='1'\nnonsense\nexport B='2'\n")).toEqual({ A: '1' });
    expect(parse('')).toEqual({});
  });
});

it('parseEnviron keeps names that no shell variable can have', () => {
  const environ = Buffer.from('A=1=2\0BASH_FUNC_x%%=() {\n}\0a.b=\xff\0=odd\0none\0', 'latin1');
  expect(Object.fromEntries(parseEnviron(environ))).toEqual({
    A: '1=2',
    'BASH_FUNC_x%%': '() {\n}',
    'a.b': '\udcff',
  });
});

describe('environmentChange', () => {
  const change = (from: Record<string, string>, to: Record<string, string>) =>
    environmentChange(new Map(Object.entries(from)), new Map(Object.entries(to)));

  it('R34 is what was set, changed and unset', () => {
    expect(change({ A: '1', B: '1', C: '1' }, { A: '1', B: '2', D: '' })).toEqual({
      set: { B: '2', D: '' },
      unset: ['C'],
    });
  });

  it("R24 R34 leaves out what is a task's or a shell's own", () => {
    const own = {
      VBATCH_TASK_ID: 'x',
      VELDA_X: 'x',
      PWD: '/',
      OLDPWD: '/',
      SHLVL: '2',
      _: 'x',
      CUDA_VISIBLE_DEVICES: '1',
      NVIDIA_VISIBLE_DEVICES: '1',
      HIP_VISIBLE_DEVICES: '1',
      ROCR_VISIBLE_DEVICES: '1',
      GPU_DEVICE_ORDINAL: '1',
      UID: '0',
    };
    expect(change({}, own)).toEqual({ set: {}, unset: [] });
    expect(change(own, {})).toEqual({ set: {}, unset: [] });
  });

  it('takes __proto__ for the plain name it is', () => {
    const { set } = environmentChange(new Map(), new Map([['__proto__', 'x']]));
    expect(Object.entries(set)).toEqual([['__proto__', 'x']]);
  });
});

it('withoutOwn keeps what may be handed on', () => {
  const kept = withoutOwn([
    ['A', '1'],
    ['VBATCH_HOME', 'x'],
    ['_', 'x'],
    ['PWD', '/'],
    ['BASH_FUNC_x%%', 'f'],
  ]);
  expect([...kept.keys()]).toEqual(['A', 'BASH_FUNC_x%%']);
});

it('splitAssignments leaves to env(1) what a shell would refuse or change', () => {
  expect(
    splitAssignments([
      ['A', '1'],
      ['a.b', '2'],
      ['UID', '3'],
      ['OPTIND', 'x'],
      ['_vb_root', '4'],
      ['', '5'],
      ['X=Y', '6'],
    ]),
  ).toEqual({ exports: ['A=1'], forEnv: ['a.b=2', 'UID=3', 'OPTIND=x', '_vb_root=4'] });
});
