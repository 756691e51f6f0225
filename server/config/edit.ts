/**
 * Changes to the text of a person's configuration file. What else it says stays, with comments and the
 * spelling of values; indentation and blank lines become regular. Pure: the caller reads and writes.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isNode, isScalar, parseDocument, type Tags } from 'yaml';
import { VbatchError } from '../protocol/errors.ts';
import { builtInConfiguration, localHost } from './configuration.ts';
import { strayAliases } from './document.ts';
import { mistakesIn, parseConfiguration } from './parse.ts';
import { quoted, suggestion } from './problems.ts';
import type { FileContents, HostEntry } from './schema.ts';

/**
 * The text of `file` with one more host; `text` is what it says now, empty where it does not exist.
 * Throws `configuration` where the file has mistakes, `usage` where the name or the entry is wrong, and
 * `refused` where there is such a host already.
 */
export function addHost(text: string, file: string, name: string, entry: HostEntry): string {
  const [mistake] = mistakesIn({ hosts: { [name]: entry } });
  if (mistake !== undefined) throw new VbatchError('usage', mistake);
  if (name === localHost) throw refused(`${localHost} is this machine, which is always there`);
  const contents = contentsOf(text, file);
  if (Object.hasOwn(contents.hosts ?? {}, name)) {
    throw refused(`${file} has a host ${quoted(name)} already; "vctl host remove ${name}" removes it`);
  }
  const document = read(text);
  if (!makeMap(document)) throw byHand(file);
  document.setIn(['hosts', name], document.createNode(entry, { flow: true }));
  return written(document, { text, file, name, contents });
}

/**
 * The text of `file` without a host. Throws `configuration` where the file has mistakes, and `refused`
 * where it has no such host, or has pools that name it.
 */
export function removeHost(text: string, file: string, name: string): string {
  const contents = contentsOf(text, file);
  const names = Object.keys(contents.hosts ?? {});
  if (!names.includes(name)) {
    const others = names.length === 0 ? 'it has none' : suggestion(name, names);
    throw refused(`${file} has no host ${quoted(name)}; ${others}`);
  }
  const [pool] = Object.entries(contents.pools ?? {}).find(([, it]) => it?.hosts?.includes(name)) ?? [];
  if (pool !== undefined) {
    throw refused(`pool ${pool} runs on ${name}; take it out of pools.${pool}.hosts in ${file} first`);
  }
  const document = read(text);
  if (!makeMap(document)) throw byHand(file);
  document.deleteIn(['hosts', name]);
  return written(document, { text, file, name, contents });
}

function contentsOf(text: string, file: string): FileContents {
  return parseConfiguration(text, file, builtInConfiguration);
}

function read(text: string): Document.Parsed {
  return parseDocument(text, { stringKeys: true, customTags: asSpelt });
}

/** Numbers are written as they were read: a variable 007 must not become 7. */
function asSpelt(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag === 'string' || tag.collection !== undefined || !/:(int|float)$/.test(tag.tag)) return tag;
    const { stringify } = tag;
    return { ...tag, stringify: (item, ...rest) => item.source ?? stringify?.(item, ...rest) ?? '' };
  });
}

/** Sees to it that there is a mapping of hosts, if there can be one. */
function makeMap(document: Document.Parsed): boolean {
  const found = document.get('hosts', true);
  if (isMap(found)) {
    // An empty one is written as {}, on one line; what comes into it is not.
    if (found.items.length === 0) found.flow = false;
    return true;
  }
  if (found !== undefined && !(isScalar(found) && found.value === null)) return false;
  const map = document.createNode({});
  if (isNode(found)) map.commentBefore = [found.commentBefore, found.comment].filter(Boolean).join('\n');
  document.set('hosts', map);
  return true;
}

/** What the file was before it was changed in the host `name`. */
interface Before {
  text: string;
  file: string;
  name: string;
  contents: FileContents;
}

function written(document: Document.Parsed, { text, file, name, contents }: Before): string {
  if (strayAliases(document).length > 0) throw byHand(file);
  const result = document.toString({ lineWidth: 0 });
  // Through an alias the change may show elsewhere too; and this is somebody's own work.
  const isHarmless = isDeepStrictEqual(allBut(name, contentsOf(result, file)), allBut(name, contents));
  if (!isHarmless) throw byHand(file);
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  return mark + (text.includes('\r\n') ? result.replaceAll('\n', '\r\n') : result);
}

function allBut(name: string, { hosts, ...rest }: FileContents): unknown {
  return { ...rest, hosts: Object.entries(hosts ?? {}).filter(([other]) => other !== name) };
}

function byHand(file: string): VbatchError {
  return refused(`the hosts of ${file} are written in a way that only a person can change; edit it by hand`);
}

function refused(message: string): VbatchError {
  return new VbatchError('refused', message);
}
