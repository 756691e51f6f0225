/** The state of an attempt in a person's words. */
import * as vscode from 'vscode';
import { formatSize } from '../../server/protocol/quantities.ts';
import type { AttemptState } from './state.ts';

/** One sentence or clause, or null where there is nothing to say. */
export function stateText(state: AttemptState): string | null {
  switch (state.kind) {
    case 'unknown':
      return null;
    case 'waiting':
      return state.reason ?? vscode.l10n.t('has not started yet');
    case 'never':
      return state.reason ?? vscode.l10n.t('never ran');
    case 'running':
      return vscode.l10n.t('running on {0}', state.host);
    case 'unreachable':
      return vscode.l10n.t(
        '{0} is unreachable{1}; the command goes on there, and its output comes later',
        state.host,
        sinceText(state.since),
      );
    case 'fetching':
      return vscode.l10n.t('fetching the rest from {0}…', state.host);
    case 'cut':
      return vscode.l10n.t('the rest is on {0}, which is unreachable{1}', state.host, sinceText(state.since));
    case 'ended':
      return endText(state);
  }
}

function endText({ exitCode, signal, reason }: AttemptState & { kind: 'ended' }): string {
  if (reason !== null) return reason;
  if (signal !== null) return vscode.l10n.t('ended by {0}', signal);
  return vscode.l10n.t('ended with exit code {0}', exitCode ?? '?');
}

function sinceText(since: string | null): string {
  if (since === null) return '';
  const time = new Date(since);
  const isToday = time.toDateString() === new Date().toDateString();
  return ` ${vscode.l10n.t('since {0}', isToday ? time.toLocaleTimeString() : time.toLocaleString())}`;
}

/** A bare number would be no size to a person. */
export function sizeText(bytes: number): string {
  const text = formatSize(bytes);
  return /\d$/.test(text) ? vscode.l10n.t('{0} bytes', text) : `${text}B`;
}
