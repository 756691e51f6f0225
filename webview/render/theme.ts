/** Colours and fonts for the canvas, from the theme variables of VS Code. */
import { lookOf, type Status, statuses } from '../state/statuses.ts';

export interface Theme {
  readonly background: string;
  readonly surface: string;
  readonly inner: string;
  readonly text: string;
  readonly faint: string;
  readonly border: string;
  readonly line: string;
  readonly focus: string;
  readonly match: string;
  readonly status: Readonly<Record<Status, string>>;
  readonly font: string;
}

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const read = (...names: string[]) => {
    for (const name of names) {
      const value = style.getPropertyValue(name).trim();
      if (value !== '') return value;
    }
    return '#888';
  };
  return {
    background: read('--vscode-editor-background'),
    surface: read('--vscode-editorWidget-background', '--vscode-sideBar-background'),
    inner: read('--vscode-sideBar-background', '--vscode-editor-background'),
    text: read('--vscode-foreground', '--vscode-editor-foreground'),
    faint: read('--vscode-descriptionForeground'),
    border: read('--vscode-contrastBorder', '--vscode-editorWidget-border', '--vscode-panel-border'),
    line: read('--vscode-charts-lines', '--vscode-descriptionForeground'),
    focus: read('--vscode-focusBorder'),
    match: read('--vscode-editor-findMatchBackground', '--vscode-charts-yellow'),
    status: Object.fromEntries(statuses.map((status) => [status, read(lookOf(status).colour)])) as Record<
      Status,
      string
    >,
    font: read('--vscode-font-family'),
  };
}
