/**
 * What lets the page in. The key that it sends with each request is kept in sessionStorage: unlike a cookie, that
 * belongs to this port alone, and no other server on this machine is ever sent it. A key ends with its server.
 * What it comes back in with when the server was started anew is in memory alone, and is never sent: in the
 * meantime the port may have been somebody else's (server/http/pageKeys.ts).
 */
import { t } from '@vscode/l10n';
import { messageOf } from './frames.ts';

const keyItem = 'vbatch.key';

interface Known {
  readonly page: string;
  readonly secret: CryptoKey;
}

export class Pass {
  private known: Known | null = null;
  /** Whether the server that gave the key may have been started anew since. */
  private doubted = false;
  private returning: Promise<void> | null = null;

  /** To be sent along with each request. */
  get key(): string {
    return sessionStorage.getItem(keyItem) ?? '';
  }

  /** Exchanges the ticket in the page's address, if there is one, and takes it out of the address. Rejects in words. */
  async letIn(): Promise<void> {
    const [, ticket, place = ''] = /^#open\/([\w-]+)(?:\/(.*))?$/s.exec(location.hash) ?? [];
    if (ticket !== undefined) {
      history.replaceState(null, '', place === '' ? '#' : `#run/${place}`);
      const answer = await post('key', { ticket });
      if (answer.ok) sessionStorage.setItem(keyItem, ((await answer.json()) as { key: string }).key);
      // The address may have been opened a second time in a tab that has been let in.
      else if (this.key === '') throw new Error(messageOf(await answer.text()));
      else return;
    }
    // The picture does not wait for what is needed after a restart only.
    void this.learn().catch(() => {});
  }

  /** A connection was lost: before the next one the server has to show who it is. */
  doubt(): void {
    this.doubted = true;
  }

  /** Sees to it that the key is that of the server that runs. Rejects in words where it cannot. */
  async confirm(): Promise<void> {
    if (!this.doubted) return;
    this.returning ??= this.comeBack().finally(() => {
      this.returning = null;
    });
    await this.returning;
  }

  private async learn(): Promise<void> {
    const answer = await post('pass', { key: this.key });
    if (!answer.ok) throw new Error(messageOf(await answer.text()));
    const { page, secret } = (await answer.json()) as { page: string; secret: string };
    const usage = { name: 'HMAC', hash: 'SHA-256' };
    const imported = await crypto.subtle.importKey('raw', bytesOf(secret), usage, false, ['sign']);
    this.known = { page, secret: imported };
  }

  private async comeBack(): Promise<void> {
    try {
      // Loaded anew, the page knows nothing but its key, which is good if the server has only been out of reach.
      if (this.known === null) await this.learn();
      else await this.exchange(this.known);
    } catch (error) {
      const isAway = error instanceof TypeError;
      throw isAway ? new Error(t('the vbatch server does not answer'), { cause: error }) : error;
    }
    this.doubted = false;
  }

  private async exchange({ page, secret }: Known): Promise<void> {
    const challenge = textOf(crypto.getRandomValues(new Uint8Array(16)));
    const answer = await post('return', { page, challenge });
    if (!answer.ok) throw new Error(messageOf(await answer.text()));
    const { nonce, proof } = (await answer.json()) as { nonce: string; proof: string };
    if (proof !== (await sign(secret, `server ${nonce} ${location.port} ${challenge}`))) {
      throw new Error(
        t('Another program has the port of the vbatch server; `vctl open` opens this page again.'),
      );
    }
    sessionStorage.setItem(keyItem, await sign(secret, `page ${nonce}`));
  }
}

/** Rejects with a TypeError where nobody answers. */
function post(what: 'key' | 'pass' | 'return', body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`/v1/page/${what}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function sign(secret: CryptoKey, text: string): Promise<string> {
  return textOf(new Uint8Array(await crypto.subtle.sign('HMAC', secret, new TextEncoder().encode(text))));
}

/** In base64url. */
function textOf(bytes: Uint8Array): string {
  const text = btoa(String.fromCodePoint(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
