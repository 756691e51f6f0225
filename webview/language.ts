/**
 * The language of the page: what `t` of @vscode/l10n gives, and how numbers are written. In a panel of the editor
 * the extension hands over the texts of the person's language; elsewhere they are the English ones of the code.
 * Imported before all else, so that texts that are read once are right as well.
 */
import { config } from '@vscode/l10n';

/** What is looked at of the document; without one, in tests, there is none. */
interface Page {
  readonly documentElement: { readonly lang: string };
  readonly body: { readonly dataset: { readonly texts?: string } };
}

const page = (globalThis as { readonly document?: Page }).document;
const texts = page?.body.dataset.texts;
if (texts !== undefined) config({ contents: texts });

const numbers = new Intl.NumberFormat(page?.documentElement.lang ?? 'en');

/** Such as `1,000`. */
export function numberText(value: number): string {
  return numbers.format(value);
}
