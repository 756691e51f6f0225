/** `-o json|yaml|wide|COL[,COL…]` for every list. */
import { VbatchError } from '../../server/protocol/errors.ts';
import { closest } from '../../server/protocol/nearest.ts';
import type { Colours } from './colours.ts';
import type { Column, ColumnSet } from './columns.ts';
import { type Cell, tableLines } from './table.ts';

export type Output<T> = { kind: 'json' | 'yaml' } | { kind: 'table'; columns: Column<T>[] };

/** Reads the value of `-o`. Throws `usage` for an unknown column, naming the nearest. */
export function chooseOutput<T>(given: string | undefined, set: ColumnSet<T>): Output<T> {
  if (given === 'json' || given === 'yaml') return { kind: given };
  const names = given === undefined ? set.normal : given === 'wide' ? set.wide : given.split(',');
  return { kind: 'table', columns: names.map((name) => columnNamed(name.trim(), set)) };
}

function columnNamed<T>(name: string, set: ColumnSet<T>): Column<T> {
  const found = set.all.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const names = set.all.map((column) => column.name);
  const near = closest(name, ['json', 'yaml', 'wide', ...names]);
  throw new VbatchError(
    'usage',
    `-o: no column ${JSON.stringify(name)}; did you mean ${near}? There are json, yaml, wide and ${names.join(', ')}`,
  );
}

/** The table of a list; nothing at all for an empty list without a header. */
export function listTable<T>(
  items: readonly T[],
  columns: readonly Column<T>[],
  options: { header: boolean; width: number | null; colours: Colours; now: number },
): string {
  const { header, width, colours, now } = options;
  const rows = items.map((item) =>
    columns.map((column): Cell => ({ text: column.value(item, now), style: column.style?.(item, colours) })),
  );
  const lines = tableLines(columns, rows, { header, width, headerStyle: colours.bold });
  return lines.map((line) => `${line}\n`).join('');
}

/** Items as JSON or YAML. YAML is loaded only when it is asked for. */
export async function structured(kind: 'json' | 'yaml', items: unknown): Promise<string> {
  if (kind === 'json') return `${JSON.stringify(items, null, 2)}\n`;
  const { stringify } = await import('yaml');
  return stringify(items);
}
