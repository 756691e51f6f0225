/** The output of a task, which follows while the task runs. */
import { t } from '@vscode/l10n';
import { type LogLine, LogLines } from '../../logtext/lines.ts';
import type { Link } from '../link/link.ts';
import { element, setText } from './dom.ts';
import { lineElements } from './logLine.ts';

export interface LogOptions {
  readonly id: string;
  readonly attempt: number | null;
  /** About how many bytes from the end to begin with. */
  readonly tail: number;
  /** About how many lines are kept; the oldest go first. */
  readonly lines: number;
}

interface Row {
  readonly root: HTMLElement;
  text: string;
  spans: LogLine['spans'];
}

/** So much more than wanted may be kept for a while: what goes at the top costs a look at all lines. */
const slack = 1.2;

export class LogView {
  readonly root = element('div', 'log');
  follow = true;
  private readonly note = element('div', 'faint');
  private readonly text = element('pre', '');
  private model = new LogLines();
  private position = 0;
  private readonly rows = new Map<LogLine, Row>();
  private readonly stopReading: () => void;
  private frame = 0;
  /** Whether the beginning is left out. */
  private cut = false;

  constructor(
    private readonly link: Link,
    private readonly options: LogOptions,
  ) {
    const { id, attempt, tail } = options;
    this.text.tabIndex = 0;
    this.text.setAttribute('role', 'log');
    this.text.setAttribute('aria-live', 'off');
    this.text.setAttribute('aria-label', t('Output of {0}', id));
    this.root.append(this.note, this.text);
    this.text.hidden = true;
    this.say(t('waiting for output …'));
    this.stopReading = link.log(
      { id, attempt, tail },
      {
        begin: ({ stdout, stderr }) => {
          this.model = new LogLines({ stdout: stdout > 0, stderr: stderr > 0 });
          this.position = stdout + stderr;
          this.cut = this.position > 0;
          this.rows.clear();
          this.text.replaceChildren();
        },
        data: (stream, bytes) => {
          this.model.write(stream, bytes, this.position);
          this.position += bytes.length;
          this.redraw();
        },
        lost: (reason) => this.say(reason),
        end: (error) => {
          if (error !== null) this.say(error);
          else if (this.model.lines.length === 0) this.say(t('no output'));
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
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.text.hidden = false;
      this.trim();
      this.draw();
      this.say(this.cut ? t('only the end is shown here; `vctl log` prints all') : '');
      if (this.follow) this.text.scrollTop = this.text.scrollHeight;
    });
  }

  private trim(): void {
    const { model, rows } = this;
    const most = this.options.lines;
    if (model.lines.length <= most * slack) return;
    const gone = model.lines.slice(0, -most);
    model.trim(model.lines.slice(-most).reduce((sum, { text }) => sum + text.length + 1, 0));
    for (const line of gone) {
      rows.get(line)?.root.remove();
      rows.delete(line);
    }
    this.cut = true;
  }

  /** Brings the rows up to date, from the first line that may have changed. */
  private draw(): void {
    const { lines } = this.model;
    const from = this.model.takeChanged();
    let before = from === 0 ? null : (this.rows.get(lines[from - 1] as LogLine)?.root ?? null);
    for (const line of lines.slice(from)) {
      let row = this.rows.get(line);
      if (row === undefined) {
        row = { root: element('div', line.stream), text: '', spans: [] };
        this.rows.set(line, row);
        this.fill(row, line);
      } else if (row.text !== line.text || row.spans !== line.spans) this.fill(row, line);
      const place: Element | null = before === null ? this.text.firstElementChild : before.nextElementSibling;
      if (place !== row.root) this.text.insertBefore(row.root, place);
      before = row.root;
    }
  }

  private fill(row: Row, line: LogLine): void {
    row.text = line.text;
    row.spans = line.spans;
    const { link } = this;
    const open = link.showPlace;
    row.root.replaceChildren(
      ...lineElements(line, open === null ? null : (place) => open(this.options.id, place)),
    );
  }
}
