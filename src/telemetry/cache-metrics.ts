import type { Registry } from 'prom-client';
import { counterFamily, labelledCounter, register } from './metric-family.ts';

type CacheName = 'balance' | 'available';
type CacheResult = 'hit' | 'miss' | 'bypass';

/** What is read through Redis and how that goes, and the connection. */
export class CacheMetrics {
  readonly #requests: Readonly<Record<CacheName, Record<CacheResult, number>>> = {
    balance: { hit: 0, miss: 0, bypass: 0 },
    available: { hit: 0, miss: 0, bypass: 0 },
  };
  readonly #fills = new Map<string, number>();
  readonly #invalidations = new Map<string, number>();
  #pending = 0;
  #raises = 0;
  #timeouts = 0;
  /** Undefined where there is no Redis: then nothing is told of it. */
  #isConnected: boolean | undefined;

  constructor(registry: Registry) {
    const gauge = (name: string, help: string, read: () => number | undefined) => ({
      name,
      help,
      type: 'gauge' as const,
      samples: () => {
        const value = read();
        return value === undefined ? [] : [{ labels: {}, value }];
      },
    });
    const families = [
      {
        name: 'usher_cache_requests_total',
        help: 'Values asked for, by cache and result: hit, miss, or bypass where Redis was not to be used',
        type: 'counter' as const,
        samples: () =>
          this.#caches().flatMap(([cache, counts]) =>
            Object.entries(counts).map(([result, value]) => ({ labels: { cache, result }, value })),
          ),
      },
      {
        name: 'usher_cache_hit_ratio',
        help: 'Hits among hits and misses since the start; absent before the first',
        type: 'gauge' as const,
        samples: () =>
          this.#caches().flatMap(([cache, { hit, miss }]) =>
            hit + miss === 0 ? [] : [{ labels: { cache }, value: hit / (hit + miss) }],
          ),
      },
      labelledCounter(
        'usher_balance_cache_fills_total',
        'Balances handed to Redis after a miss; refused = stale by then',
        'outcome',
        this.#fills,
      ),
      labelledCounter(
        'usher_balance_cache_invalidations_total',
        'Users whose entry Redis was told to delete; again = a retry of what was not delivered',
        'attempt',
        this.#invalidations,
      ),
      gauge(
        'usher_balance_cache_invalidations_pending',
        'Users whose entry is not known to be deleted; +Inf while it is all of them',
        () => (this.#isConnected === undefined ? undefined : this.#pending),
      ),
      counterFamily(
        'usher_balance_cache_generations_total',
        'How often all entries were made void, as too many deletions could not be delivered',
        () => this.#raises,
      ),
      counterFamily(
        'usher_redis_timeouts_total',
        'Calls of Redis that were not answered in time',
        () => this.#timeouts,
      ),
      gauge('usher_redis_connected', '1 while Redis is connected and answers', () =>
        this.#isConnected === undefined ? undefined : Number(this.#isConnected),
      ),
    ];
    for (const family of families) register(registry, family);
  }

  onRequest(cache: CacheName, result: CacheResult): void {
    this.#requests[cache][result] += 1;
  }

  onFill(outcome: string): void {
    add(this.#fills, outcome, 1);
  }

  onInvalidations(users: number, attempt: string): void {
    add(this.#invalidations, attempt, users);
  }

  onPending(users: number): void {
    this.#pending = users;
  }

  onGenerationRaised(): void {
    this.#raises += 1;
  }

  onTimeout(): void {
    this.#timeouts += 1;
  }

  onConnection(isUp: boolean): void {
    this.#isConnected = isUp;
  }

  /** Where there is no Redis nothing is asked of it, and no line of zeros says so. */
  #caches(): readonly [string, Record<CacheResult, number>][] {
    return this.#isConnected === undefined ? [] : Object.entries(this.#requests);
  }
}

const add = (counts: Map<string, number>, key: string, count: number): void => {
  counts.set(key, (counts.get(key) ?? 0) + count);
};
