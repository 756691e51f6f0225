import { describe, expect, it } from 'vitest';
import { exactArguments, exactEnvironment } from '../../../cli/exactProcess.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

function files(commandLine: string, environment = '') {
  return { commandLine: () => bytes(commandLine), environment: () => bytes(environment) };
}

const none = {
  commandLine: () => {
    throw new Error('read without need');
  },
  environment: () => {
    throw new Error('read without need');
  },
};

describe('exact arguments', () => {
  it('are those of Node where these are text', () => {
    expect(exactArguments(['node', 'vbatch.cjs', 'a', 'ü'], none)).toEqual(['a', 'ü']);
    expect(exactArguments(['node', 'vbatch.cjs'], none)).toEqual([]);
  });

  it('are those of the system where bytes were replaced, empty ones included', () => {
    const commandLine = files('node\0--flag\0vbatch.cjs\0a\xff\0\0\xc3\xbc\n\0');
    expect(exactArguments(['node', 'vbatch.cjs', 'a\ufffd', '', 'ü\n'], commandLine)).toEqual([
      'a\udcff',
      '',
      'ü\n',
    ]);
  });

  it('are those of Node where the system has none to read', () => {
    expect(exactArguments(['node', 'vbatch.cjs', 'a\ufffd'], none)).toEqual(['a\ufffd']);
  });
});

describe('the exact environment', () => {
  it('is that of Node where it is text', () => {
    expect(exactEnvironment({ A: '1', B: undefined }, none)).toEqual({ A: '1' });
  });

  it('is that of the system where bytes were replaced', () => {
    const environment = files('', 'A=\x80=1\0B=\0=odd\0C\0');
    expect(exactEnvironment({ A: '\ufffd=1', B: '' }, environment)).toEqual({ A: '\udc80=1', B: '' });
  });
});
