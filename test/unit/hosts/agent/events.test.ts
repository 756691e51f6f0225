import { describe, expect, it } from 'vitest';
import { exitOf, parseEvent, signalsOf } from '../../../../server/hosts/agent/events.ts';

describe('parseEvent', () => {
  it('reads every line of the table', () => {
    expect(parseEvent('ready setsid -f')).toEqual({ type: 'ready', mode: 'setsid -f' });
    expect(parseEvent('unfit')).toEqual({ type: 'unfit' });
    expect(parseEvent('gpus')).toEqual({ type: 'gpus' });
    expect(parseEvent('started 17.1')).toEqual({ type: 'started', key: '17.1', terminal: false });
    expect(parseEvent('started 17.1 terminal')).toEqual({ type: 'started', key: '17.1', terminal: true });
    for (const type of ['lost', 'absent', 'unable'] as const) {
      expect(parseEvent(`${type} 17.1`)).toEqual({ type, key: '17.1' });
    }
    for (const type of ['call', 'gone', 'answered'] as const) {
      expect(parseEvent(`${type} 17.1/4711-0`)).toEqual({ type, call: '17.1/4711-0' });
    }
    for (const of of ['17.1/4711-0 stdout', '17.1/4711-0 stderr', '17.1 stdin']) {
      expect(parseEvent(`took ${of} 4096`)).toEqual({ type: 'took', of, offset: 4096 });
      expect(parseEvent(`deaf ${of}`)).toEqual({ type: 'deaf', of });
    }
    expect(parseEvent('ended 17.1 both exit 3 ')).toEqual({
      type: 'ended',
      key: '17.1',
      written: ['stdout', 'stderr'],
      end: { kind: 'exit', code: 3, text: '' },
    });
    // A shell's read trims the blank where there is no text.
    expect(parseEvent('stopped 17.1 stderr exit 137')).toMatchObject({
      written: ['stderr'],
      end: { kind: 'exit', code: 137, text: '' },
    });
    expect(parseEvent('ended 2.3 none directory 126 /a b ')).toMatchObject({
      written: [],
      end: { text: '/a b ' },
    });
  });

  it('takes nothing else for an event: anyone may write into the FIFO', () => {
    for (const line of [
      '',
      'nonsense',
      'started',
      'started x',
      'started 1.1 2',
      'call ../../etc/passwd',
      'call 1.1/../2.1/3-0',
      'gone 1.1',
      'took 1.1 stdin',
      'took 1.1 stdout 5',
      'took 1.1/3-0 stdin 5',
      'took 1.1 stdin -5',
      'deaf 1.1',
      'ended 1.1',
      'ended 1.1 none exit',
      'ended 1.1 none exit x',
      'ended 1.1 none other 3',
      'ended 1.1 other exit 3',
      'ended 1.1 exit 3',
      'stopped x none exit 3',
    ]) {
      expect(parseEvent(line), line).toBeNull();
    }
  });
});

it.runIf(process.platform === 'linux')(
  'Windows knows the signals of hosts by the names that Linux has',
  () => {
    const byNumber = (platform: NodeJS.Platform) => [...signalsOf(platform)].sort(([a], [b]) => a - b);
    expect(byNumber('win32')).toEqual(byNumber('linux'));
  },
);

describe('exitOf', () => {
  it('tells signals by what shells make of them', () => {
    const signalOf = (code: number) => exitOf({ kind: 'exit', code, text: '' }, 'box').signal;
    expect([0, 1, 127, 128, 129, 130, 134, 137, 143].map(signalOf)).toEqual([
      null,
      null,
      null,
      null,
      'HUP',
      'INT',
      'ABRT',
      'KILL',
      'TERM',
    ]);
    expect(signalOf(255)).toBeNull();
  });

  it('gives a reason that names the host and the thing', () => {
    const reason = (kind: 'directory' | 'program' | 'setup' | 'never', code: number, text: string) =>
      exitOf({ kind, code, text }, 'box').reason;
    expect(reason('directory', 126, '/x')).toContain('/x does not exist on box');
    expect(reason('directory', 126, '')).toContain('its directory does not exist on box');
    expect(reason('program', 127, 'foo')).toBe('command not found on box: foo');
    expect(reason('program', 126, '')).toBe('not an executable file on box');
    expect(reason('setup', 3, '')).toContain('exit code 3');
    expect(reason('never', 125, '')).toBe('stopped before it started');
    expect(exitOf({ kind: 'program', code: 130, text: '' }, 'box').signal).toBeNull();
  });
});
