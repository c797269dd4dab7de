import { randomUUID } from 'node:crypto';
import { assert } from '../../actors/allocator/assert.ts';
import type { UserId } from '../../actors/allocator/ids.ts';
import type { Clock } from '../../actors/runtime/ports.ts';
import type { Redis, RedisReply } from '../../redis/redis.ts';
import type { BalanceCacheObserver } from './balance-cache-observer.ts';
import {
  BalanceKeys,
  balanceText,
  fillLease,
  leaseText,
  readBalanceEntry,
  readOrLease,
} from './balance-entry.ts';
import { BalanceGeneration } from './balance-generation.ts';
import { BalanceInvalidations, generationLifeMs } from './balance-invalidations.ts';

/**
 * Balances in Redis, read through. The ledger is the truth; Redis may lie, forget or hang, and then balances
 * are read from the ledger.
 *
 * C1 While Redis does as it is told, no read, on any node, returns a balance that is older than a change that
 *    was answered before the read began. No node keeps balances in its own memory, so deleting the entry in
 *    Redis reaches all of them.
 * C2 A node's own changes are seen by its own reads whatever Redis does: what could not be deleted is not
 *    looked at here (balance-invalidations.ts, N1).
 * C3 What another node may see for longer: a balance whose deletion could not be delivered, or whose node died
 *    between the commit and the deletion, and whatever a Redis that was rolled back brings up again. It is
 *    gone `ttlSeconds` after it was stored, at the latest.
 *
 * A balance that is read just before a change must not be stored just after it. So a read that finds nothing
 * leaves a lease in the place of the entry, and its balance is stored only where that lease still is; a change
 * deletes the entry, whichever of the two it is. After Nishtala et al., "Scaling Memcache at Facebook"
 * (NSDI 2013), 3.2.1. Unlike there, who finds somebody else's lease neither waits nor goes without: it reads
 * the ledger, and may store under that lease, since it has seen it before it read. So a node that dies with a
 * lease leaves nothing behind that others would have to wait for.
 *
 * Reads of one user that found the same lease share one read of the ledger. The lease is what makes that
 * right: it has been there since before that read began, so no change was answered in between.
 */
export class BalanceCache {
  readonly invalidations: BalanceInvalidations;
  readonly #redis: Redis;
  readonly #observer: BalanceCacheObserver;
  readonly #readBalance: (userId: UserId) => Promise<number>;
  readonly #ttlMs: number;
  readonly #keys: BalanceKeys;
  readonly #generation = new BalanceGeneration();
  readonly #nodeToken: string = randomUUID();
  #leases = 0;
  /** Reads of the ledger that others may share; as many as it takes at once. */
  readonly #reads = new Map<UserId, SharedRead>();

  constructor(options: BalanceCacheOptions) {
    const {
      redis,
      clock,
      observer,
      installationId,
      readBalance,
      ttlSeconds,
      pendingUsersMax = 10_000,
    } = options;
    this.#redis = redis;
    this.#observer = observer;
    this.#readBalance = readBalance;
    this.#ttlMs = ttlSeconds * 1000;
    assert(
      this.#ttlMs + leaseLifeMs < generationLifeMs,
      'an entry is gone before its generation is forgotten',
    );
    this.#keys = new BalanceKeys(installationId);
    this.invalidations = new BalanceInvalidations({
      redis,
      clock,
      observer,
      keys: this.#keys,
      generation: this.#generation,
      nodeToken: this.#nodeToken,
      usersMax: pendingUsersMax,
    });
  }

  /** Rejects as the ledger does, and for no other reason. */
  async balanceOf(userId: UserId): Promise<number> {
    if (!this.#redis.isUsable || this.invalidations.isPending(userId)) return this.#bypass(userId);
    const asked = this.#generation.current;
    const key = this.#keys.entry(asked, userId);
    const found = await this.#ask(asked, key);
    if (found?.kind === 'balance') {
      this.#observer.onRequest('balance', 'hit');
      return found.balance;
    }
    if (found === undefined) return this.#bypass(userId);
    this.#observer.onRequest('balance', 'miss');
    return this.#read(userId, key, found.lease);
  }

  /** What Redis has; undefined when it is not to be trusted, or does not say. */
  async #ask(asked: string, key: string) {
    this.#leases += 1;
    const lease = leaseText(`${this.#nodeToken}-${this.#leases}`);
    let replies: readonly RedisReply[];
    try {
      replies = await this.#redis.run([
        { command: 'get', keys: [this.#keys.generation] },
        { command: readOrLease, keys: [key], args: [lease, leaseLifeMs] },
      ]);
    } catch {
      return undefined;
    }
    const [counts, entry] = replies;
    return this.#generation.confirms(asked, counts) ? readBalanceEntry(entry) : undefined;
  }

  #bypass(userId: UserId): Promise<number> {
    this.#observer.onRequest('balance', 'bypass');
    return this.#readBalance(userId);
  }

  #read(userId: UserId, key: string, lease: string): Promise<number> {
    const underWay = this.#reads.get(userId);
    if (underWay?.lease === lease) return underWay.balance;
    const read: SharedRead = { lease, balance: this.#readBalance(userId) };
    this.#reads.set(userId, read);
    const forget = () => {
      if (this.#reads.get(userId) === read) this.#reads.delete(userId);
    };
    read.balance.then((balance) => {
      forget();
      void this.#fill(userId, key, lease, balance);
    }, forget);
    return read.balance;
  }

  /** Nobody waits for it. */
  async #fill(userId: UserId, key: string, lease: string, balance: number): Promise<void> {
    if (!this.#redis.isUsable || this.invalidations.isPending(userId)) return this.#observer.onFill('failed');
    try {
      const args = [lease, balanceText(balance), this.#ttlMs];
      const [outcome] = await this.#redis.run([{ command: fillLease, keys: [key], args }]);
      const isKnown = outcome === 'stored' || outcome === 'filled' || outcome === 'refused';
      this.#observer.onFill(isKnown ? outcome : 'failed');
    } catch {
      this.#observer.onFill('failed');
    }
  }
}

interface SharedRead {
  readonly lease: string;
  readonly balance: Promise<number>;
}

export interface BalanceCacheOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly observer: BalanceCacheObserver;
  /** Of the ledger: random, made with its data. */
  readonly installationId: string;
  /** Must see everything that is committed: not a replica that lags. */
  readonly readBalance: (userId: UserId) => Promise<number>;
  /** How long a balance is kept. */
  readonly ttlSeconds: number;
  /** Users whose deletion is not delivered, at most; one more voids all entries. Default 10,000. */
  readonly pendingUsersMax?: number;
}

/** A read of the ledger that takes longer is not stored. */
const leaseLifeMs = 10_000;
