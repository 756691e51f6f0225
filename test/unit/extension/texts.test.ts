/** What a person reads comes from vscode.l10n, so that it can be translated. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const folder = resolve(import.meta.dirname, '../../../extension');
const token = /\/\/.*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
/** Two words: an id, a path or a name of a colour is none. */
const isProse = (literal: string) =>
  /[A-Za-z]{2,} [a-z]{2,}/.test(literal.replace(/\$\{[^}]*\}/g, ' ')) && !forPrograms.test(literal);
/** Words of protocols, of when-clauses, and of the server. */
const forPrograms = /^['`](?:GET |POST |<!doctype|worker-src |host check'|gpu used'|is held')/;
/** What stands before a text that is translated, or that nobody but a developer reads. */
const isCared = (before: string) =>
  /(?:\.t\(|log\.\w+\(|VbatchError\('(?:internal|forbidden)',|Error\()\s*$/.test(before) ||
  /\.t\(\s*[\w.\s=!>]+\?\s*(?:'[^']*'\s*:\s*)?$/.test(before);

/** The texts of a source file that are neither. */
function uncared(source: string): string[] {
  const code = source.replace(token, (found) => (/^\/[/*]/.test(found) ? '' : found));
  return [...code.matchAll(token)]
    .filter(
      ({ 0: literal, index }) => isProse(literal) && !isCared(code.slice(Math.max(0, index - 200), index)),
    )
    .map(([literal]) => literal);
}

it('every text of the extension can be translated', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const found = files.flatMap((name) =>
    uncared(readFileSync(join(folder, name), 'utf8')).map((literal) => `${name}: ${literal}`),
  );
  expect(found).toEqual([]);
});

it('one that cannot is found', () => {
  expect(uncared("show('two words'); show(l10n.t('more words')); // 'a comment here'")).toEqual([
    "'two words'",
  ]);
});
