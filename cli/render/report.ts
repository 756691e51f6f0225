/** What was found out about a host, for a person. */
import type { Finding, HostReport } from '../../server/protocol/hosts.ts';
import type { Colours } from './colours.ts';
import { harmless, padText, textWidth } from './text.ts';

const marks = { ok: '✓', warning: '!', failure: '✗' } as const;

/** A line for each finding, and one below for what to do about it. */
export function reportText({ host, findings }: HostReport, colours: Colours): string {
  const width = Math.max(...findings.map(({ topic }) => textWidth(topic)), 0);
  const styles = { ok: colours.green, warning: colours.yellow, failure: colours.red };
  const lines = findings.flatMap(({ topic, status, text, fix }) => {
    const head = `  ${styles[status](marks[status])} ${padText(harmless(topic), width)}  `;
    const below = ' '.repeat(width + 6);
    return [`${head}${harmless(text)}`, ...(fix === null ? [] : [`${below}→ ${harmless(fix)}`])];
  });
  return [colours.bold(harmless(host)), ...lines, `  ${verdict(findings)}`]
    .map((line) => `${line}\n`)
    .join('');
}

function verdict(findings: readonly Finding[]): string {
  const count = (status: Finding['status']) => findings.filter((each) => each.status === status).length;
  const [failures, warnings] = [count('failure'), count('warning')];
  const parts = [
    ...(failures > 0 ? [failures === 1 ? '1 failure' : `${failures} failures`] : []),
    ...(warnings > 0 ? [warnings === 1 ? '1 warning' : `${warnings} warnings`] : []),
  ];
  return parts.length === 0 ? 'all is well' : parts.join(', ');
}
