import { createHash } from 'node:crypto';
import { dropOldest } from './drop-oldest.ts';
import type { SandboxReply } from './stripe-shapes.ts';

/**
 * Stripe's rules of a key: it belongs to the first request that comes with it, and answers that one again.
 * https://docs.stripe.com/api/idempotent_requests
 *
 * A request that is refused before it is begun is never taken in here, and leaves its key free. The oldest
 * keys are forgotten beyond `keysMax`.
 */
export class IdempotencyKeys {
  readonly #entries = new Map<string, Entry>();

  /** @param request method, path and parameters, in any order that is always the same. */
  begin(key: string, request: string): KeyState {
    const fingerprint = createHash('sha256').update(request).digest('base64');
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { fingerprint, reply: undefined });
      dropOldest(this.#entries, keysMax);
      return { kind: 'new' };
    }
    if (entry.reply === undefined) return { kind: 'in-use' };
    return entry.fingerprint === fingerprint ? { kind: 'known', reply: entry.reply } : { kind: 'taken' };
  }

  /** What it said goes for every request with this key from now on. */
  finish(key: string, reply: SandboxReply): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.reply = reply;
  }

  /** Nothing came of the request: as if it had never been. */
  release(key: string): void {
    this.#entries.delete(key);
  }
}

const keysMax = 100_000;

interface Entry {
  readonly fingerprint: string;
  reply: SandboxReply | undefined;
}

type KeyState =
  | { readonly kind: 'new' }
  | { readonly kind: 'known'; readonly reply: SandboxReply }
  /** By a request with other parameters, which has its answer. */
  | { readonly kind: 'taken' }
  /** By a request that is not done, whatever its parameters: nothing is said of it before it is. */
  | { readonly kind: 'in-use' };
