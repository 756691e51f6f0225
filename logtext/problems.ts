/** The errors that programs report in their output, with the places that they name. */
import { type Place, plainPath, referencesIn } from './references.ts';

export interface Problem {
  readonly message: string;
  /** Who says so: `python`, `pytest`, `node`, `rust` or `compiler`. */
  readonly source: string;
  /** Where it is, innermost first: which of these is the person's own is not known here. Never empty. */
  readonly places: readonly Place[];
}

/** A reader of one program's errors. It sees all lines, and tells an error once it has seen all of it. */
type Reader = (line: string, found: (problem: Problem) => void) => void;

/** Most errors of one log: nobody reads more. */
const most = 100;

/** `[rank0]: ` stands before what one of several processes says that write at the same time: torchrun. */
const prefix = /^(\[[a-z]+\d+\]:) ?/;
/** `  | ` stands before the traceback of a group of exceptions. */
const gutter = /^\s+\| /;

/** The errors in some output, in the order in which they were told. */
export function problemsIn(lines: Iterable<string>): Problem[] {
  const problems: Problem[] = [];
  const found = (problem: Problem) => {
    const [at] = problem.places;
    const isKnown = (other: Problem) =>
      other.message === problem.message &&
      other.places[0]?.path === at?.path &&
      other.places[0]?.line === at?.line;
    if (at !== undefined && problems.length < most && !problems.some(isKnown)) problems.push(problem);
  };
  const readers = new Map<string, Reader[]>();
  for (const line of lines) {
    const [before = '', whose = ''] = prefix.exec(line) ?? [];
    const own = readers.get(whose) ?? [python(), pytest(), node(), rust(), compiler, linker];
    readers.set(whose, own);
    const said = line.slice(before.length).replace(gutter, '');
    for (const read of own) read(said, found);
  }
  // What has not ended ends here.
  for (const read of [...readers.values()].flat()) read('', found);
  return problems;
}

function placesOf(line: string): Place[] {
  return referencesIn(line).map(({ path, line: number, column }) => ({ path, line: number, column }));
}

/** A traceback: places from the outermost in, each with a line of source, then what was raised. */
function python(): Reader {
  let places: Place[] = [];
  return (line, found) => {
    if (/^\s+File "[^"]+", line \d+/.test(line)) places.push(...placesOf(line));
    else if (places.length > 0 && /^[\w.]+(?::|$)/.test(line) && !line.startsWith('Traceback ')) {
      found({ message: line, source: 'python', places: places.reverse() });
      places = [];
    } else if (places.length > 0 && !/^\s/.test(line)) places = [];
  };
}

/** All that `--tb=line` tells, and what `--tb=short` ends with. */
const failedAt = /^\S+\.py:\d+: ((?:[\w.]*(?:Error|Exception)|Failed): .*)$/;

/** Lines that begin with `E` say what is wrong; the place stands below them, or above with `--tb=short`. */
function pytest(): Reader {
  let message: string | null = null;
  let places: Place[] = [];
  const tell = (found: (problem: Problem) => void) => {
    if (message !== null && places.length > 0) found({ message, source: 'pytest', places: places.reverse() });
    message = null;
    places = [];
  };
  return (line, found) => {
    const said = /^E\s+(\S.*)$/.exec(line);
    if (said !== null) message ??= said[1] ?? '';
    else if (/^\S+\.py:\d+: ?(?:in \S+|[\w.]*)$/.test(line)) {
      places.push(...placesOf(line));
      if (message !== null) tell(found);
    } else if (failedAt.test(line)) {
      const [, said = ''] = failedAt.exec(line) ?? [];
      message ??= said;
      places.push(...placesOf(line));
      tell(found);
    } else if (/^[_=]{3,}/.test(line)) tell(found);
  };
}

const thrown = /^\s*(?:Uncaught )?((?:[A-Za-z_$][\w$.]*(?:Error|Exception)|Error)\b.*)$/;

/** So many lines stand at most between a place and what was thrown there: the source and a mark below it. */
const nodeHead = 6;

/** What was thrown, then where from the innermost out. A mistake of syntax has its place above. */
function node(): Reader {
  let above: Place[] = [];
  let since = 0;
  let message: string | null = null;
  let places: Place[] = [];
  return (line, found) => {
    since += 1;
    if (/^\s+at /.test(line) && message !== null) {
      places.push(...placesOf(line));
      return;
    }
    if (message !== null && (places.length > 0 || (line === '' && above.length > 0))) {
      found({ message, source: 'node', places: [...places, ...above] });
      [above, message, places] = [[], null, []];
    }
    const error = thrown.exec(line);
    if (error !== null) message = error[1] ?? line;
    else if (/^(?:file:\/\/)?(?:[A-Za-z]:)?[^\s:]+:\d+$/.test(line)) {
      above = placesOf(line);
      since = 0;
    } else if (since > nodeHead && message === null) above = [];
  };
}

/** `error[E0308]: …` with its place below, and a panic with its place before what it says. */
function rust(): Reader {
  let message: string | null = null;
  let panicked: Place[] | null = null;
  return (line, found) => {
    if (panicked !== null) {
      found({ message: line, source: 'rust', places: panicked });
      panicked = null;
    }
    const error = /^error(?:\[E\d+\])?: .*$/.exec(line);
    const place = /^ *--> (.+):(\d+):(\d+)$/.exec(line);
    if (error !== null) message = error[0];
    else if (place !== null && message !== null) {
      const [, path = '', number, column] = place;
      const at = { path: plainPath(path), line: Number(number), column: Number(column) };
      found({ message, source: 'rust', places: [at] });
      message = null;
    } else if (/^thread '.*' (?:\(\d+\) )?panicked at /.test(line)) {
      const places = placesOf(line.replace(/:$/, ''));
      const said = /panicked at '(.*)', /.exec(line);
      if (said !== null) found({ message: said[1] ?? '', source: 'rust', places });
      else if (places.length > 0) panicked = places;
    } else if (line === '') message = null;
  };
}

const diagnostic = /^(.+?)(?::(\d+)(?::(\d+))?: |\((\d+),(\d+)\): )(?:fatal )?error(?: [A-Z]+\d+)?: (.*)$/;

/** gcc, clang, tsc and whoever else writes `FILE:LINE:COLUMN: error: …`. */
const compiler: Reader = (line, found) => {
  const match = diagnostic.exec(line.slice(0, 4_000));
  if (match === null) return;
  const [, path = '', line1, column1, line2, column2, message = ''] = match;
  const column = column1 ?? column2;
  const place = {
    path: plainPath(path),
    line: Number(line1 ?? line2),
    column: column === undefined ? null : Number(column),
  };
  found({ message, source: 'compiler', places: [place] });
};

const unlinked =
  /^(?:\S*ld: )?(?:\S+\.o: ?)?([^\s:]+):(\d+): ((?:undefined reference to|multiple definition of) .*)$/;

const linker: Reader = (line, found) => {
  const [, path, number, message = ''] = unlinked.exec(line) ?? [];
  if (path === undefined) return;
  found({ message, source: 'compiler', places: [{ path, line: Number(number), column: null }] });
};
