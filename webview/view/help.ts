/** What keys and mouse do, for those who ask. */
import { t } from '@vscode/l10n';
import { button } from '../controls.ts';
import { element } from './dom.ts';

/** A dialog to be shown by `showModal`; Escape closes it, as all of them. */
export function helpDialog(): HTMLDialogElement {
  const rows = [
    [t('Right, Left'), t('to what waits for this task, and to what it waits for')],
    [t('Up, Down'), t('to the neighbours')],
    [t('Page Down, Page Up'), t('into a box or an opened stack, and out again')],
    [t('Enter, double click'), t('opens or closes')],
    [t('+, −, 0, wheel'), t('zoom, and show all')],
    [t('Shift and arrows, drag'), t('move the view')],
    [t('Enter in the search'), t('to the next task that is found')],
  ] as const;
  const list = element('dl', 'keys');
  for (const [keys, what] of rows) list.append(element('dt', '', keys), element('dd', '', what));
  const title = element('h2', '', t('Keys and mouse'));
  const dialog = element('dialog', 'help', title, list);
  title.id = 'keys-title';
  dialog.setAttribute('aria-labelledby', title.id);
  dialog.append(button(t('Close'), () => dialog.close()));
  return dialog;
}
