/** The output of a task, which follows while the task runs. */
import type { Link } from '../link/link.ts';
import { type LogLine, LogLines } from '../state/logLines.ts';
import { element, setText } from './dom.ts';

export interface LogOptions {
  readonly id: string;
  readonly attempt: number | null;
  /** About how many bytes from the end to begin with. */
  readonly tail: number;
  readonly lines: number;
}

export class LogView {
  readonly root = element('div', 'log');
  follow = true;
  private readonly note = element('div', 'faint');
  private readonly text = element('pre', '');
  private readonly model: LogLines;
  private readonly rows = new Map<LogLine, HTMLElement>();
  private readonly stopReading: () => void;
  private frame = 0;
  private skipped = false;

  constructor(link: Link, { id, attempt, tail, lines }: LogOptions) {
    this.model = new LogLines(lines);
    this.text.tabIndex = 0;
    this.text.setAttribute('role', 'log');
    this.text.setAttribute('aria-live', 'off');
    this.text.setAttribute('aria-label', `Output of ${id}`);
    this.root.append(this.note, this.text);
    this.say('waiting for output …');
    this.stopReading = link.log(
      { id, attempt, tail },
      {
        text: (stream, text) => {
          this.model.add(stream, text);
          this.redraw();
        },
        skipped: () => {
          this.skipped = true;
        },
        end: (error) => {
          if (error !== null) this.say(error);
          else if (this.model.lines.length === 0) this.say('no output');
        },
      },
    );
  }

  stop(): void {
    this.stopReading();
    cancelAnimationFrame(this.frame);
  }

  private say(text: string): void {
    setText(this.note, text);
    this.note.hidden = text === '';
  }

  private redraw(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const { lines, dropped } = this.model;
      const kept = new Set(lines);
      for (const [line, row] of this.rows) {
        if (kept.has(line)) break;
        row.remove();
        this.rows.delete(line);
      }
      for (const line of lines) {
        let row = this.rows.get(line);
        if (row === undefined) {
          row = element('div', line.stream);
          this.rows.set(line, row);
          this.text.append(row);
        }
        setText(row, line.text === '' ? ' ' : line.text);
      }
      this.say(this.skipped || dropped > 0 ? 'only the end is shown here; `vctl log` prints all' : '');
      if (this.follow) this.text.scrollTop = this.text.scrollHeight;
    });
  }
}
