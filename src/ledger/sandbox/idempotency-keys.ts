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

  get size(): number {
    return this.#entries.size;
  }

  /** Oldest first. */
  get finished(): Iterable<FinishedKey> {
    return Array.from(this.#entries, ([key, { fingerprint, reply }]) =>
      reply === undefined ? [] : [{ key, fingerprint, reply }],
    ).flat();
  }

  /** @param fingerprint of method, path and parameters. */
  begin(key: string, fingerprint: string): KeyState {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#set(key, { fingerprint, reply: undefined });
      return { kind: 'new' };
    }
    if (entry.reply === undefined) return { kind: 'in-use' };
    return entry.fingerprint === fingerprint ? { kind: 'known', reply: entry.reply } : { kind: 'taken' };
  }

  /** What was said goes for every request with this key from now on. */
  finish({ key, fingerprint, reply }: FinishedKey): void {
    this.#set(key, { fingerprint, reply });
  }

  /** Nothing came of the request: as if it had never been. */
  release(key: string): void {
    this.#entries.delete(key);
  }

  #set(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    dropOldest(this.#entries, keysMax);
  }
}

const keysMax = 100_000;

interface Entry {
  readonly fingerprint: string;
  readonly reply: SandboxReply | undefined;
}

export interface FinishedKey {
  readonly key: string;
  readonly fingerprint: string;
  readonly reply: SandboxReply;
}

type KeyState =
  | { readonly kind: 'new' }
  | { readonly kind: 'known'; readonly reply: SandboxReply }
  /** By a request with other parameters, which has its answer. */
  | { readonly kind: 'taken' }
  /** By a request that is not done, whatever its parameters: nothing is said of it before it is. */
  | { readonly kind: 'in-use' };
