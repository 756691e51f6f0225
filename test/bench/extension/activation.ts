/** How long the extension takes to start, as a real VS Code says itself. */
import type { Page } from 'playwright-core';
import type { Bench } from '../bench.ts';
import type { Measure, Row } from '../measure.ts';
import { median } from '../rounds.ts';
import { openWindow } from './inHost.ts';

const rounds = 5;

export const activation: Measure = {
  name: 'activation',
  how:
    'How long the extension took to load and to start, as the page "Running Extensions" of the newest VS Code of the tests ' +
    `says; the median of ${rounds} windows, each in a VS Code of its own. Beside it: Git, which comes with VS Code, with ` +
    'no repository to open.',
  needs: ['chromium'],
  run: measure,
};

async function measure(bench: Bench): Promise<Row[]> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const window = await openWindow(bench, 'test/bench/extension/nothing.ts', () => Promise.resolve());
    try {
      const { page } = window;
      await page.locator('.statusbar-item', { hasText: 'vbatch' }).first().waitFor();
      await page.keyboard.press('F1');
      await page.locator('.quick-input-widget:visible input').fill('>Developer: Show Running Extensions');
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Running' }).first().click();
      ours.push(await activationOf(page, 'vbatch.vbatch'));
      theirs.push(await activationOf(page, 'Git'));
    } finally {
      await window.close();
    }
  }
  return [
    {
      what: 'activation of the extension',
      unit: 'ms',
      value: median(ours),
      beside: { what: "VS Code's own Git", value: median(theirs) },
      goal: { of: 'value', most: 150 },
    },
  ];
}

/** Milliseconds. @param name as the page has it; an extension that is developed is called by its id there */
async function activationOf(page: Page, name: string): Promise<number> {
  const exact = page.locator('.name', { hasText: new RegExp(`^${name}$`) });
  const row = page.locator('.runtime-extensions-editor .monaco-list-row').filter({ has: exact });
  const text = await row.getByText(/Activation: \d+ms/).innerText();
  return Number(/(\d+)ms/.exec(text)?.[1]);
}
