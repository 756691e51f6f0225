/** The output of one task, by itself: what "Logs" shows in a browser. */
import { t } from '@vscode/l10n';
import { button, checkbox } from '../controls.ts';
import type { Link } from '../link/link.ts';
import { element } from './dom.ts';
import { LogView } from './logView.ts';

const tail = 1024 * 1024;
const lines = 10_000;

export class LogPage {
  readonly root = element('main', 'logPage');
  private readonly log: LogView;

  constructor(link: Link, id: string, back: () => void) {
    this.log = new LogView(link, { id, attempt: null, tail, lines });
    const follow = checkbox(t('Keep to the end'), (checked) => {
      this.log.follow = checked;
    });
    follow.checked = true;
    const head = element('header', '', element('h1', '', id), follow, button(t('Back to the graph'), back));
    this.root.append(head, this.log.root);
  }

  stop(): void {
    this.log.stop();
  }
}
