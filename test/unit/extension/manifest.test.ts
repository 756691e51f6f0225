/** What package.json contributes and what the code does must agree. test/vscode looks at what is registered. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import manifest from '../../../package.json';
import strings from '../../../package.nls.json';

const root = resolve(import.meta.dirname, '../../..');
const code = readdirSync(join(root, 'extension'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(root, 'extension', name), 'utf8'))
  .join('\n');
const { contributes } = manifest;
const commands = contributes.commands.map(({ command }) => command);
const views = Object.values(contributes.views).flatMap((list) => list.map(({ id }) => id));
const whens = [...JSON.stringify(contributes).matchAll(/"(?:when|enablement)":"((?:[^"\\]|\\.)*)"/g)].map(
  ([, text]) => JSON.parse(`"${text}"`) as string,
);

/** Context keys that VS Code sets itself. */
const builtIn = new Set([
  'isWorkspaceTrusted',
  'resourceScheme',
  'resourceLangId',
  'resourceExtname',
  'editorLangId',
  'editorTextFocus',
  'view',
  'viewItem',
  'listMultiSelection',
  'focusedView',
  'isLinux',
  'isWindows',
  'isMac',
  'activeWebviewPanelId',
]);

describe('commands', () => {
  it('are under one category, with a title of their own', () => {
    expect(contributes.commands.filter(({ category }) => category !== 'vbatch')).toEqual([]);
    expect(new Set(contributes.commands.map(({ title }) => title)).size).toBe(commands.length);
  });

  it('exist wherever a menu, a key, a welcome or the walkthrough names one', () => {
    const known = new Set([
      ...commands,
      ...views.map((id) => `${id}.focus`),
      ...views.map((id) => `${id}.open`),
    ]);
    const named = [
      ...Object.values(contributes.menus as Record<string, { command?: string }[]>)
        .flat()
        .flatMap(({ command }) => (command === undefined ? [] : [command])),
      ...contributes.keybindings.map(({ command }) => command),
      ...[...JSON.stringify([contributes, strings]).matchAll(/command:(vbatch\.[\w.]+)/g)].map(
        ([, id]) => id as string,
      ),
      ...[...code.matchAll(/executeCommand(?:<[^>]*>)?\(\s*'(vbatch\.[\w.]+)'/g)].map(
        ([, id]) => id as string,
      ),
    ];
    expect(named.filter((id) => !known.has(id))).toEqual([]);
  });
});

describe('settings', () => {
  it('are read in the code, all of them and no others', () => {
    const declared = Object.keys(contributes.configuration.properties);
    const unread = declared.filter((id) => !code.includes(`'${id.slice('vbatch.'.length)}'`));
    expect(unread).toEqual([]);
  });
});

describe('texts', () => {
  it('are all in package.nls.json, and none there is left over', () => {
    const used = [...JSON.stringify(manifest).matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key as string);
    expect([...new Set(used)].sort()).toEqual(Object.keys(strings).sort());
  });
});

describe('when-clauses', () => {
  it('name context keys of VS Code, or such as the code sets', () => {
    const words = whens.flatMap((when) =>
      when
        .replace(/\/(?:[^/\\]|\\.)+\/[a-z]*/g, '')
        .replace(/(?:==|!=|=~|in|not in)\s*[\w.:-]+/g, '')
        .split(/[^\w.:]+/)
        .filter((word) => word !== '' && !/^(true|false|\d+)$/.test(word)),
    );
    const unknown = words.filter((word) => !builtIn.has(word) && !code.includes(`'${word}'`));
    expect([...new Set(unknown)]).toEqual([]);
  });

  it('name views and items that exist', () => {
    const named = whens.flatMap((when) =>
      [...when.matchAll(/\bview == ([\w.]+)/g)].map(([, id]) => id as string),
    );
    expect(named.filter((id) => !views.includes(id))).toEqual([]);
  });
});
