import { describe, expect, it } from 'vitest';
import { LiveArea, statusLine } from '../../../../cli/render/live.ts';
import { Screen } from '../../../../cli/render/screen.ts';
import { fakeIo } from '../fixture.ts';

/** A terminal whose width a person may change. */
class Terminal {
  text = '';
  columns = 20;

  write(text: string): void {
    this.text += text;
  }
}

describe('lines that are drawn in place', () => {
  it('replace the ones before, and leave nothing behind', () => {
    const terminal = new Terminal();
    const area = new LiveArea(terminal);
    area.draw(['a', 'b']);
    area.draw(['c']);
    area.erase();
    area.erase();
    expect(terminal.text).toBe('a\nb\n\x1b[2A\x1b[Jc\n\x1b[1A\x1b[J');
  });

  it('are not drawn again while they are the same', () => {
    const terminal = new Terminal();
    const area = new LiveArea(terminal);
    area.draw(['a']);
    area.draw(['a']);
    expect(terminal.text).toBe('a\n');
  });

  it('are erased whole on a terminal that has wrapped them since, colours not counted', () => {
    const terminal = new Terminal();
    const area = new LiveArea(terminal);
    area.draw(['x'.repeat(20), '\x1b[31mred\x1b[39m']);
    terminal.columns = 8;
    terminal.text = '';
    area.erase();
    expect(terminal.text).toBe('\x1b[4A\x1b[J');
  });

  it('a status line is plain, and leaves room for the cursor', () => {
    expect(statusLine('waits\x1b[2J for 日本', 12)).toBe('waits␛[2J …');
  });
});

describe('the output of a task above a status line', () => {
  const bytes = (text: string) => Buffer.from(text);

  it('stands where the status line was, which comes back below it', async () => {
    const io = fakeIo({ terminal: true });
    const screen = new Screen(io);
    screen.status('waits');
    await screen.output('stderr', bytes('one\n'));
    screen.status('waits');
    expect(io.stderr.text).toBe('waits\n\x1b[1A\x1b[Jone\nwaits\n');
  });

  it('is not torn by a status line, and a note begins a line of its own', async () => {
    const io = fakeIo({ terminal: true });
    const screen = new Screen(io);
    await screen.output('stderr', bytes('half a '));
    screen.status('waits');
    await screen.output('stderr', bytes('line'));
    screen.note('done');
    expect(io.stderr.text).toBe('half a line\ndone\n');
  });

  it('waits while a question is open', async () => {
    const io = fakeIo({ terminal: true });
    const screen = new Screen(io);
    let answer: (text: string) => void = () => {};
    const asked = screen.hold(
      () =>
        new Promise<string>((resolve) => {
          answer = resolve;
        }),
    );
    const written = screen.output('stdout', bytes('x'));
    screen.status('waits');
    expect([io.stdout.text, io.stderr.text]).toEqual(['', '']);
    answer('yes');
    expect(await asked).toBe('yes');
    await written;
    expect(io.stdout.text).toBe('x');
  });
});
