import type { RedisReply } from '../../redis/redis.ts';

/** Of a Redis where none was ever raised, or which has lost its memory. */
const firstGeneration = '0';

/**
 * The generation of entries that count, as this node knows it. It is part of every key, and every read and
 * every invalidation asks Redis for it in the same write: a node that missed a raise finds out before it
 * trusts an entry.
 */
export class BalanceGeneration {
  #current = firstGeneration;

  get current(): string {
    return this.#current;
  }

  raise(generation: string): void {
    this.#current = generation;
  }

  /** @returns whether `asked`, which the rest of the call went by, is what Redis says; what it says counts. */
  confirms(asked: string, reply: RedisReply | undefined): boolean {
    if (reply !== null && typeof reply !== 'string') return false;
    this.#current = reply ?? firstGeneration;
    return this.#current === asked;
  }
}
