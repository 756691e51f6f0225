import { pino } from 'pino';
import type { Browser, Page } from 'playwright-core';
import { Client } from '../../server/client/client.ts';
import { createHttpServer } from '../../server/http/server.ts';
import { browserPath, newPage, startBrowser } from '../support/browser.ts';
import { FakeEngine } from '../support/fakeEngine.ts';
import { FakeHosts } from '../support/fakeHosts.ts';
import type { Measure, Row } from './measure.ts';

const size = 10_000;
/** Seconds of panning and zooming, and of changes. */
const movingSeconds = 5;
const changingSeconds = 60;

/** The graph page with 10,000 tasks in one run. */
export const graph: Measure = {
  name: 'graph',
  needs: browserPath === undefined ? ['chromium'] : [],
  how:
    'The graph page in a headless Chromium, drawn in software, with a run of 10,000 tasks. **First picture**: from ' +
    'the address to the drawn graph, beside an empty page. **Frames**: the time between two while panning and ' +
    'zooming over 10,000 cells for 5 s, 95 of 100 and the longest; and while 1,000 tasks a second change for a ' +
    'minute, beside a plain canvas that draws 10,000 rectangles in each frame for a minute in the same browser. **Memory** of ' +
    "the page's script after that minute, beside before; both after a garbage collection.",
  async run() {
    const browser = await startBrowser(['--js-flags=--expose-gc', '--enable-precise-memory-info']);
    const plain = await plainCanvas(browser);
    const rows: Row[] = [];
    for (const shape of ['one fan-out', '100 pipelines of 100'] as const)
      rows.push(...(await measure(browser, shape, plain)));
    await browser.close();
    return rows;
  },
};

async function measure(
  browser: Browser,
  shape: 'one fan-out' | '100 pipelines of 100',
  plain: Frames,
): Promise<Row[]> {
  const engine = new FakeEngine();
  const ids = fill(engine, shape);
  const token = 'bench';
  const server = createHttpServer({
    engine,
    hosts: new FakeHosts(),
    token,
    pageFolder: 'dist/webview',
    loginEnvironment: async () => new Map(),
    onStop: () => {},
    log: pino({ level: 'silent' }),
  });
  const port = await server.listen();
  const address = () => new Client({ port, token }).pageAddress('run-1');
  const { page } = await newPage(browser);
  const empty = await timed(() => page.goto('data:text/html,<p>empty'));
  await page.addInitScript(notePicture);
  await page.goto(await address());
  await firstPicture(page);
  // An address that differs after the # alone would load nothing.
  await page.goto('about:blank');
  await page.goto(await address());
  const first = await firstPicture(page);
  await openAll(page, shape);
  const moving = await frames(page, movingSeconds, move);
  const still = await memory(page);
  let next = 0;
  const changing = setInterval(() => {
    const changed = Array.from({ length: 50 }, () => ids[next++ % ids.length] ?? '');
    engine.putAll(changed, { status: Math.floor(next / ids.length) % 2 === 0 ? 'RUNNING' : 'SUCCESS' });
  }, 50);
  const live = await frames(page, changingSeconds, '() => {}');
  clearInterval(changing);
  const grown = await memory(page);
  await page.context().close();
  await server.close();
  const row = (
    what: string,
    value: number,
    beside: number,
    goal: Row['goal'],
    unit: Row['unit'] = 'ms',
  ): Row => ({
    what: `${what}, ${shape}`,
    unit,
    value,
    beside: { what: unit === 'MB' ? 'before' : 'plain canvas', value: beside },
    goal,
  });
  return [
    {
      ...row('first picture', first, empty, { of: 'value', most: 1_000 }),
      beside: { what: 'empty page', value: empty },
    },
    row('pan and zoom, p95 of frames', moving.p95, plain.p95, { of: 'ratio', most: 1.1 }),
    row('pan and zoom, longest frame', moving.longest, plain.longest, null),
    row('1,000 changes/s, p95 of frames', live.p95, plain.p95, null),
    row('1,000 changes/s, longest frame', live.longest, plain.longest, { of: 'value', most: 50 }),
    row('memory after 60,000 changes', grown, still, { of: 'ratio', most: 1.1 }, 'MB'),
  ];
}

/** Fills an engine with a run of the size, and returns the ids of what will change. */
function fill(engine: FakeEngine, shape: string): string[] {
  const command = ['python', 'process_file.py'];
  engine.put('run-1', { name: 'run', parent: null, run: 'run-1', command: ['./run.sh'], status: 'RUNNING' });
  const ids: string[] = [];
  const child = (parent: string, name: string) => {
    const id = `${parent}/${name}`;
    engine.put(id, { name, parent, run: 'run-1', command, status: 'QUEUED' });
    return id;
  };
  if (shape === 'one fan-out') for (let at = 0; at < size; at++) ids.push(child('run-1', `part-${at}.csv`));
  else {
    for (let at = 0; at < 100; at++) {
      const pipeline = child('run-1', `pipeline-${at}`);
      for (let step = 0; step < 100; step++) ids.push(child(pipeline, `part-${step}.csv`));
    }
  }
  return ids;
}

/** Notes when all tasks are told and drawn: the frame after the one in which the elements say so. */
const notePicture = `addEventListener('DOMContentLoaded', () => {
  globalThis.pictured = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      const isTold = /10,[01]00 queued/.test(document.querySelector('.summary')?.textContent ?? '');
      const isDrawn = [...document.querySelectorAll('.item')].some((item) =>
        /^(10,000|100) × .*: (10,000|100) queued$/.test(item.getAttribute('aria-label') ?? ''));
      if (!isTold || !isDrawn) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    });
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  });
})`;

/** Milliseconds from the address to that. */
async function firstPicture(page: Page): Promise<number> {
  return await page.evaluate<number>('pictured.then((at) => at)');
}

/** Opens every stack and box, and waits for the picture of that. */
async function openAll(page: Page, shape: string): Promise<void> {
  const stack = page.locator('.item[aria-expanded="false"]').first();
  await stack.focus();
  await page.keyboard.press('Enter');
  await page.locator('.item[aria-expanded="true"]').nth(1).waitFor({ state: 'attached' });
  if (shape !== 'one fan-out') {
    const folds = [['stack:run-1/pipeline-0', false]];
    for (let at = 0; at < 100; at++) {
      folds.push([`run-1/pipeline-${at}`, true], [`stack:run-1/pipeline-${at}/part-0.csv`, true]);
    }
    const state = { id: 'run-1', selected: 'run-1', run: { graph: { camera: null, folds }, follow: false } };
    // After the page has saved what it was like when it was left.
    await page.evaluate(
      `addEventListener('pagehide', () => sessionStorage.setItem('vbatch.state', ${JSON.stringify(JSON.stringify(state))}))`,
    );
    await page.reload();
    await page.locator('.item[aria-expanded="true"]').nth(150).waitFor({ state: 'attached' });
  }
  await page.locator('vscode-button', { hasText: 'Fit' }).click();
}

/** Turns the wheel and drags, a little in each frame. */
const move = `(at) => {
  const graph = document.querySelector('.graph');
  const deltaY = at % 120 < 60 ? -12 : 12;
  graph.dispatchEvent(new WheelEvent('wheel', { deltaY, clientX: 500 + (at % 40), clientY: 400, cancelable: true }));
  graph.dispatchEvent(new WheelEvent('wheel', { deltaX: at % 80 < 40 ? 6 : -6, shiftKey: true, cancelable: true }));
}`;

interface Frames {
  readonly p95: number;
  readonly longest: number;
}

/** The times between frames while `act` is called in each. */
async function frames(page: Page, seconds: number, act: string): Promise<Frames> {
  const times = await page.evaluate<number[]>(`new Promise((resolve) => {
    const act = ${act};
    const times = [];
    const start = performance.now();
    let last = start;
    const step = (now) => {
      times.push(now - last);
      last = now;
      act(times.length);
      if (now - start < ${seconds * 1_000}) requestAnimationFrame(step);
      else resolve(times.slice(3));
    };
    requestAnimationFrame(step);
  })`);
  times.sort((a, b) => a - b);
  return { p95: times[Math.floor(times.length * 0.95)] ?? 0, longest: times.at(-1) ?? 0 };
}

/** The peer: as many rectangles, and nothing else, for as long. */
async function plainCanvas(browser: Browser): Promise<Frames> {
  const { page } = await newPage(browser);
  await page.setContent('<body style="margin:0"><canvas width="1300" height="760"></canvas></body>');
  const result = await frames(
    page,
    changingSeconds,
    `(at) => {
      const context = document.querySelector('canvas').getContext('2d', { alpha: false });
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = '#fff';
      context.fillRect(0, 0, 1300, 760);
      const zoom = 0.2 + (at % 120 < 60 ? at % 60 : 60 - (at % 60)) / 100;
      context.setTransform(zoom, 0, 0, zoom, -(at % 40), 0);
      context.fillStyle = '#2c7d3f';
      for (let cell = 0; cell < ${size}; cell++) context.fillRect((cell % 60) * 136, Math.floor(cell / 60) * 28, 132, 24);
    }`,
  );
  await page.context().close();
  return result;
}

/** Of the page's script, in MB, after a garbage collection. */
async function memory(page: Page): Promise<number> {
  return await page.evaluate<number>('(gc(), performance.memory.usedJSHeapSize / 1e6)');
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}
