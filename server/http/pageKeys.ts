/**
 * How the graph page in a browser gets in, and comes back in when the server was started anew. A client that knows
 * the server's token asks for a ticket; the page exchanges it, once, for a pass of its own. A ticket travels in the
 * fragment of an address, which no browser sends anywhere and which is worth nothing once used.
 *
 * With each request the page sends a key, which follows from the secret of its pass and from this server's nonce and
 * so ends with the server. The secret itself it never sends: while the server is down, another user of this machine
 * may take its port, and whatever a page said there would be good later. So the server proves first that it knows
 * the secret, for the port at which the page has asked, and the page makes the next key by itself.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { VbatchError } from '../protocol/errors.ts';

/** How long a ticket waits to be used: an address printed by `vbatch` may be clicked after a while. */
export const ticketMs = 60 * 60_000;
/** How long after it was let in last a page may come back. */
export const passMs = 30 * 24 * 60 * 60_000;
/** Most tickets that wait; the oldest go first. */
const mostTickets = 1_000;
/** Most pages; those that were let in longest ago go first. */
const mostPasses = 200;

/** What a page is known by, over restarts of the server. */
export interface Pass {
  readonly page: string;
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export interface PageKeysOptions {
  /** Milliseconds since some moment, and since the epoch. */
  readonly now: () => number;
  readonly date: () => number;
  /** What an earlier server has kept. */
  readonly passes: readonly Pass[];
  /** Keeps them for the next one. */
  readonly keep: (passes: readonly Pass[]) => void;
}

export class PageKeys {
  /** Of the running server; a page asks for it on the port where it was opened. */
  port = 0;
  /** Tickets, and when each ends. */
  private readonly tickets = new Map<string, number>();
  private readonly passes = new Map<string, Pass>();
  /** Pages by their keys. */
  private readonly keys = new Map<string, string>();
  private readonly nonce = randomBytes(16).toString('base64url');

  constructor(private readonly options: PageKeysOptions) {
    for (const pass of options.passes) if (pass.until > options.date()) this.admit(pass);
  }

  issueTicket(): string {
    const ticket = randomBytes(16).toString('base64url');
    if (this.tickets.size >= mostTickets) this.tickets.delete(oldest(this.tickets));
    this.tickets.set(ticket, this.options.now() + ticketMs);
    return ticket;
  }

  /** The key of a new page. Throws `unauthorized` where the ticket is used, too old or none. */
  redeem(ticket: string): string {
    const end = this.tickets.get(ticket);
    this.tickets.delete(ticket);
    if (end === undefined || end < this.options.now()) {
      const advice = '`vctl open` makes a new one';
      throw new VbatchError('unauthorized', `This address has been used already, or is too old; ${advice}.`);
    }
    const pass = {
      page: randomBytes(16).toString('base64url'),
      secret: randomBytes(32).toString('base64url'),
    };
    return this.renew(pass);
  }

  /** Whether a page was given this key. Looked up by its hash, so how long it takes tells nothing useful. */
  holds(key: string): boolean {
    return this.keys.has(key);
  }

  /** What the page with this key comes back in with. Throws `unauthorized` where there is none. */
  passOf(key: string): Pick<Pass, 'page' | 'secret'> {
    const pass = this.passes.get(this.keys.get(key) ?? '');
    if (pass === undefined) throw unknownPage();
    return { page: pass.page, secret: pass.secret };
  }

  /** Lets a page back in: what its next key is made of, and the proof that this server may know it. */
  comeBack(page: string, challenge: string): { nonce: string; proof: string } {
    const pass = this.passes.get(page);
    if (pass === undefined) throw unknownPage();
    this.renew(pass);
    return { nonce: this.nonce, proof: sign(pass.secret, `server ${this.nonce} ${this.port} ${challenge}`) };
  }

  private renew({ page, secret }: Pick<Pass, 'page' | 'secret'>): string {
    const key = this.admit({ page, secret, until: this.options.date() + passMs });
    this.options.keep([...this.passes.values()]);
    return key;
  }

  /** Takes a pass for the newest, and gives its key. */
  private admit(pass: Pass): string {
    this.passes.delete(pass.page);
    if (this.passes.size >= mostPasses) this.forget(oldest(this.passes));
    this.passes.set(pass.page, pass);
    const key = sign(pass.secret, `page ${this.nonce}`);
    this.keys.set(key, pass.page);
    return key;
  }

  private forget(page: string): void {
    const pass = this.passes.get(page);
    this.passes.delete(page);
    if (pass !== undefined) this.keys.delete(sign(pass.secret, `page ${this.nonce}`));
  }
}

function oldest(held: ReadonlyMap<string, unknown>): string {
  const [first = ''] = held.keys();
  return first;
}

function sign(secret: string, text: string): string {
  return createHmac('sha256', Buffer.from(secret, 'base64url')).update(text).digest('base64url');
}

function unknownPage(): VbatchError {
  return new VbatchError('unauthorized', 'This page was away for too long; `vctl open` opens it again.');
}
