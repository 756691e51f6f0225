/** The page: in a browser, what its address says; in a panel of the editor, what the extension says. */
import './language.ts';
import { BrowserLink } from './link/browser.ts';
import { EditorLink } from './link/editor.ts';
import type { Link } from './link/link.ts';
import { Pass } from './link/pass.ts';
import { element } from './view/dom.ts';
import { LogPage } from './view/logPage.ts';
import { RunPage, type RunState } from './view/runPage.ts';
import { RunsPage } from './view/runsPage.ts';

interface Saved {
  readonly id: string;
  /** What the extension shows again when its window is reloaded. */
  readonly selected: string;
  readonly run: RunState;
}

interface Shown {
  readonly root: HTMLElement;
  stop(): void;
}

const saveMs = 300;

async function start(): Promise<void> {
  const isEditor = 'acquireVsCodeApi' in globalThis;
  const worker = await workerAddress();
  let shown: Shown | null = null;
  let run: { id: string; page: RunPage; selected: string } | null = null;
  let timer = 0;
  const display = (page: Shown) => {
    shown?.stop();
    shown = page;
    document.body.replaceChildren(page.root);
  };
  const save = (link: Link) => {
    clearTimeout(timer);
    timer = 0;
    if (run !== null) link.save({ id: run.id, selected: run.selected, run: run.page.state } satisfies Saved);
  };
  const saveSoon = (link: Link) => {
    timer ||= setTimeout(() => save(link), saveMs);
  };
  const showRun = (link: Link, id: string) => {
    const top = id.split('/')[0] ?? id;
    if (run !== null && run.id === top && shown === run.page) return run.page.go(id);
    const saved = link.saved() as Saved | null;
    const page = new RunPage(link, worker, top, id, saved?.id === top ? saved.run : null, {
      selected: (selected) => {
        if (run !== null) run.selected = selected;
        if (link.kind === 'browser') history.replaceState(null, '', `#run/${encodeURIComponent(selected)}`);
        save(link);
      },
      changed: () => saveSoon(link),
      runs: link.kind === 'browser' ? () => void (location.hash = '#') : null,
    });
    run = { id: top, page, selected: id };
    save(link);
    display(page);
  };
  const retheme = () => run?.page.graph.retheme();
  for (const themed of [document.documentElement, document.body]) {
    new MutationObserver(retheme).observe(themed, { attributeFilter: ['class', 'style'] });
  }
  if (isEditor) {
    const link: Link = new EditorLink((id) => showRun(link, id));
    return;
  }
  followScheme();
  const pass = new Pass();
  const link = new BrowserLink(pass);
  addEventListener('pagehide', () => save(link));
  await pass.letIn();
  const follow = () => {
    const [, kind, text = ''] = /^#(run|log)\/(.+)$/s.exec(location.hash) ?? [];
    const id = decodeURIComponent(text);
    if (kind === 'run') showRun(link, id);
    else if (kind === 'log')
      display(new LogPage(link, id, () => void (location.hash = `#run/${encodeURIComponent(id)}`)));
    else display(new RunsPage(link, (run) => void (location.hash = `#run/${encodeURIComponent(run)}`)));
  };
  addEventListener('hashchange', () => {
    if (!location.hash.startsWith('#open/')) return follow();
    pass.letIn().then(follow, fail);
  });
  follow();
}

/** Says by the class of the body which theme it is, as the editor does: the controls look at nothing else. */
function followScheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const forced = matchMedia('(forced-colors: active)');
  const tell = () => {
    const kind = dark.matches ? 'vscode-dark' : 'vscode-light';
    document.body.className = forced.matches ? `${kind} vscode-high-contrast` : kind;
  };
  for (const query of [dark, forced]) query.addEventListener('change', tell);
  tell();
}

/** A panel of the editor may not load a worker from where its files are, but from a blob. */
async function workerAddress(): Promise<string> {
  const address = document.body.dataset.worker;
  if (address === undefined) return '/layoutWorker.js';
  return URL.createObjectURL(await (await fetch(address)).blob());
}

function fail(error: Error): void {
  document.body.replaceChildren(
    element('main', 'failure', element('h1', '', 'vbatch'), element('p', '', error.message)),
  );
}

start().catch(fail);
