import type { UserId } from '../../actors/allocator/ids.ts';
import type { Clock, TimerHandle } from '../../actors/runtime/ports.ts';
import { type Redis, type RedisCommand, RedisRefusal } from '../../redis/redis.ts';
import type { BalanceCacheObserver } from './balance-cache-observer.ts';
import type { BalanceKeys } from './balance-entry.ts';
import type { BalanceGeneration } from './balance-generation.ts';

/**
 * The users whose entries must go, until Redis has said that they are gone.
 *
 * N1 From `add` until Redis has answered a deletion that was sent after it, `isPending` holds: this node does
 *    not look at the entry.
 * N2 What is added in one turn of the event loop goes in one write. `add` waits for it, which Redis' time limit
 *    bounds, and not at all where Redis can't be used.
 * N3 What was not delivered is sent again, every `retryEveryMs`, until it is.
 * N4 At most `usersMax` are kept. One more, and all entries of all users are to go: none is looked at here
 *    until Redis has taken a new generation, which no entry was ever stored under.
 *
 * A deletion names the generation that it knows, and asks for the one that counts in the same write, before:
 * under one that is raised after that answer, nothing is stored that was read before it.
 */
export class BalanceInvalidations {
  readonly #options: BalanceInvalidationsOptions;
  /** By the number of the latest `add`. */
  readonly #pending = new Map<UserId, number>();
  #adds = 0;
  readonly #unsent = new Set<UserId>();
  #sending: Promise<void> | undefined;
  /** Of all entries: raising is what is left to do, or is on its way. */
  #raising: 'no' | 'due' | 'sent' = 'no';
  #raises = 0;
  #retryTimer: TimerHandle | undefined;
  #isRetrying = false;
  #isClosed = false;

  constructor(options: BalanceInvalidationsOptions) {
    this.#options = options;
  }

  isPending(userId: UserId): boolean {
    return this.#raising !== 'no' || this.#pending.has(userId);
  }

  /** Call it when the change is on disk, and before anybody is told. Never rejects. */
  async add(userId: UserId): Promise<void> {
    const { redis, clock, usersMax } = this.#options;
    if (this.#raising === 'due') return;
    if (!this.#pending.has(userId) && this.#pending.size >= usersMax) return this.#overflow();
    this.#adds += 1;
    this.#pending.set(userId, this.#adds);
    this.#tellPending();
    if (!redis.isUsable) return this.#retryLater();
    this.#unsent.add(userId);
    this.#sending ??= new Promise((resolve) => clock.defer(() => resolve(this.#send())));
    return this.#sending;
  }

  /** One more attempt for what is pending; what is left then ends with its time to live. */
  async close(): Promise<void> {
    await this.#sending;
    this.#isClosed = true;
    this.#retryTimer?.cancel();
    if (this.#options.redis.isUsable) await this.#deliverAll([...this.#pending.keys()], 'again');
  }

  async #send(): Promise<void> {
    const users = [...this.#unsent];
    this.#unsent.clear();
    this.#sending = undefined;
    if (!(await this.#deliverAll(users, 'first'))) this.#retryLater();
  }

  /** Chunk after chunk: to a Redis that does not take the first, the others are not sent. */
  async #deliverAll(users: readonly UserId[], attempt: 'first' | 'again'): Promise<boolean> {
    for (let begin = 0; begin < users.length; begin += usersPerWriteMax) {
      const chunk = users.slice(begin, begin + usersPerWriteMax);
      this.#options.observer.onInvalidations(chunk.length, attempt);
      if (!(await this.#deliver(chunk))) return false;
    }
    return true;
  }

  /** @returns whether nothing is left to do for these. */
  async #deliver(users: readonly UserId[]): Promise<boolean> {
    const { redis, keys, generation } = this.#options;
    for (let attempt = 0; attempt < generationsMax; attempt++) {
      const asked = generation.current;
      const addedAs = users.map((userId) => this.#pending.get(userId));
      const deletions = users.map(
        (userId): RedisCommand => ({ command: 'del', keys: [keys.entry(asked, userId)] }),
      );
      try {
        const [counts, ...deleted] = await redis.run([
          { command: 'get', keys: [keys.generation] },
          ...deletions,
        ]);
        if (!generation.confirms(asked, counts)) continue;
        const isDone = users.map((userId, index) => {
          if (deleted[index] instanceof RedisRefusal) return false;
          if (this.#pending.get(userId) === addedAs[index]) this.#pending.delete(userId);
          return true;
        });
        this.#tellPending();
        return isDone.every(Boolean);
      } catch {
        return false;
      }
    }
    return false;
  }

  #retryLater(): void {
    if (this.#isClosed || this.#retryTimer !== undefined) return;
    const { clock, retryEveryMs = 200 } = this.#options;
    this.#retryTimer = clock.setTimer(retryEveryMs, () => {
      this.#retryTimer = undefined;
      if (this.#isRetrying || !this.#options.redis.isUsable) return this.#retryLater();
      this.#isRetrying = true;
      void this.#retry().then((isDone) => {
        this.#isRetrying = false;
        if (!isDone) this.#retryLater();
      });
    });
  }

  async #retry(): Promise<boolean> {
    if (this.#raising === 'due' && !(await this.#raise())) return false;
    return this.#deliverAll([...this.#pending.keys()], 'again');
  }

  #overflow(): void {
    this.#pending.clear();
    this.#unsent.clear();
    this.#raising = 'due';
    this.#tellPending();
    this.#retryLater();
  }

  /** What is added while it is on its way is kept again, as the new generation may be there already. */
  async #raise(): Promise<boolean> {
    const { redis, keys, generation, nodeToken, observer } = this.#options;
    this.#raising = 'sent';
    this.#raises += 1;
    const raised = `${nodeToken}-${this.#raises}`;
    const isTaken = await redis
      .run([{ command: 'set', keys: [keys.generation], args: [raised, 'PX', generationLifeMs] }])
      .then(
        ([reply]) => reply === 'OK',
        () => false,
      );
    if (!isTaken || this.#raising !== 'sent') {
      this.#overflow();
      return false;
    }
    generation.raise(raised);
    this.#raising = 'no';
    this.#tellPending();
    observer.onGenerationRaised();
    return true;
  }

  #tellPending(): void {
    const { observer } = this.#options;
    observer.onPending(this.#raising === 'no' ? this.#pending.size : Number.POSITIVE_INFINITY);
  }
}

interface BalanceInvalidationsOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly observer: BalanceCacheObserver;
  readonly keys: BalanceKeys;
  readonly generation: BalanceGeneration;
  /** Of this run of this node, unlike any other's. */
  readonly nodeToken: string;
  readonly usersMax: number;
  /** Default 200 ms. */
  readonly retryEveryMs?: number;
}

const usersPerWriteMax = 500;

/** A generation is raised once in an outage; one that changes with every attempt is left to the next retry. */
const generationsMax = 3;

/**
 * Longer than any entry lives: when it is forgotten, so are the entries of the first generation, which then
 * counts again.
 */
export const generationLifeMs = 24 * 60 * 60 * 1000;
