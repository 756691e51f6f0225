/**
 * How the graph page in a browser gets in. A client that knows the server's token asks for a ticket; the page
 * exchanges it, once, for a key of its own. A ticket travels in the fragment of an address, which no browser
 * sends anywhere and which is worth nothing once used.
 */
import { randomBytes } from 'node:crypto';
import { VbatchError } from '../protocol/errors.ts';

/** How long a ticket waits to be used: an address printed by `vbatch` may be clicked after a while. */
export const ticketMs = 60 * 60_000;
/** Most tickets that wait, and most pages; the oldest go first. */
const most = 1_000;

export class PageKeys {
  /** Tickets, and when each ends. */
  private readonly tickets = new Map<string, number>();
  private readonly keys = new Set<string>();

  constructor(private readonly now: () => number) {}

  issueTicket(): string {
    const ticket = randomBytes(16).toString('base64url');
    keepNewest(this.tickets);
    this.tickets.set(ticket, this.now() + ticketMs);
    return ticket;
  }

  /** The key of a new page. Throws `unauthorized` where the ticket is used, too old or none. */
  redeem(ticket: string): string {
    const end = this.tickets.get(ticket);
    this.tickets.delete(ticket);
    if (end === undefined || end < this.now()) {
      const advice = '`vctl open` makes a new one';
      throw new VbatchError('unauthorized', `This address has been used already, or is too old; ${advice}.`);
    }
    const key = randomBytes(32).toString('base64url');
    keepNewest(this.keys);
    this.keys.add(key);
    return key;
  }

  /** Whether a page was given this key. Looked up by its hash, so how long it takes tells nothing useful. */
  holds(key: string): boolean {
    return this.keys.has(key);
  }
}

function keepNewest(held: Map<string, unknown> | Set<string>): void {
  if (held.size < most) return;
  const [oldest] = held.keys();
  if (oldest !== undefined) held.delete(oldest);
}
