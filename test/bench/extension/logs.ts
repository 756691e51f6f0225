/** Logs in a real VS Code: a large one beside a small one, and one that is written faster than anybody reads. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import type { Measure, Row } from '../measure.ts';
import { openWindow } from './inHost.ts';
import type { Figures } from './logProbe.ts';

export const logs: Measure = {
  name: 'logs',
  how:
    'In the newest VS Code of the tests, from the command that opens the log of a task until an editor shows its end, the ' +
    'median of 5 times: of 2 GB beside one of a line. How long the event loop of the extension host is blocked at ' +
    'most while such a log of 2 GB is written and shown, in which it had a processor, beside the same in 5 s in which ' +
    'nothing is.',
  needs: ['chromium'],
  run: measure,
};

async function measure(bench: Bench): Promise<Row[]> {
  const window = await openWindow(bench, 'test/bench/extension/logProbe.ts', () => Promise.resolve());
  try {
    const { opened, blocked } = await figures(window.report);
    return [
      {
        what: 'a log of 2 GB opens at its end',
        unit: 'ms',
        value: opened.large,
        beside: { what: 'one of a line', value: opened.small },
        goal: { of: 'ratio', most: 2 },
      },
      {
        what: 'longest block of the extension host, while 2 GB are written',
        unit: 'ms',
        value: blocked.flooded,
        beside: { what: 'nothing written', value: blocked.idle },
        goal: { of: 'value', most: 50 },
      },
    ];
  } finally {
    await window.close();
  }
}

/** What the module in the window has found, once it has. */
async function figures(report: string): Promise<Figures> {
  for (;;) {
    const text = readFileSync(report, 'utf8');
    if (text.endsWith('\n')) return JSON.parse(text) as Figures;
    await sleep(100);
  }
}
