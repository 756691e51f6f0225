import { expect, it } from 'vitest';
import { pageHtml } from '../../../../extension/graph/pageHtml.ts';

const sources = {
  origin: 'https://files.example',
  script: 'https://files.example/page.js',
  style: 'https://files.example/page.css',
  worker: 'https://files.example/layoutWorker.js',
  language: 'de',
};

it('runs the script of the bundle alone, and loads nothing from elsewhere', () => {
  const html = pageHtml({ ...sources, texts: {} });
  const policy = /content="([^"]+)"/.exec(html)?.[1] ?? '';
  expect(policy).toMatch(/^default-src 'none'; script-src https:\/\/files\.example;/);
  expect(policy).not.toContain('unsafe');
});

it('hands the texts of a language over as data, whatever they are', () => {
  const texts = { running: '"läuft" <script>&amp;' };
  const html = pageHtml({ ...sources, texts });
  expect(html).toContain('<html lang="de">');
  const [, given = ''] = /data-texts="([^"]*)"/.exec(html) ?? [];
  expect(given).not.toContain('<');
  const read = given.replaceAll('&lt;', '<').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  expect(JSON.parse(read)).toEqual(texts);
});
