/** What is found out about a host, line by line. */
import type { Finding } from '../protocol/hosts.ts';

export function ok(topic: string, text: string): Finding {
  return { topic, status: 'ok', text, fix: null };
}

/** It works, and will not always. */
export function warning(topic: string, text: string, fix: string): Finding {
  return { topic, status: 'warning', text, fix };
}

/** Tasks do not run there, or not as they are promised to. */
export function failure(topic: string, text: string, fix: string | null): Finding {
  return { topic, status: 'failure', text, fix };
}
