import type { UserId } from '../../../../src/actors/allocator/ids.ts';
import { BalanceCache } from '../../../../src/ledger/redis/balance-cache.ts';
import type { BalanceCacheObserver } from '../../../../src/ledger/redis/balance-cache-observer.ts';
import { fillLease, readOrLease } from '../../../../src/ledger/redis/balance-entry.ts';
import { ManualClock } from '../../actors/runtime/manual-clock.ts';
import { ScriptedRedis, type ScriptModel } from '../../redis/scripted-redis.ts';

export const ann = 'ann' as UserId;
export const bob = 'bob' as UserId;

/** What the Lua of balance-entry.ts does; test/integration shows that Redis agrees. */
const models = new Map([
  [
    readOrLease,
    ((values, key, [lease = '']) => {
      const entry = values.get(key) ?? lease;
      values.set(key, entry);
      return entry;
    }) satisfies ScriptModel,
  ],
  [
    fillLease,
    ((values, key, [lease, balance = '']) => {
      const entry = values.get(key);
      if (entry === lease) values.set(key, balance);
      else return entry?.startsWith('balance:') ? 'filled' : 'refused';
      return 'stored';
    }) satisfies ScriptModel,
  ],
]);

/** Accounts that are read when a test lets them. */
export class ScriptedAccounts {
  readonly balances = new Map<UserId, number>();
  reads = 0;
  failure: Error | undefined;
  #gate: PromiseWithResolvers<void> | undefined;

  /** Reads see the balance of now, and answer when they are released. */
  hold(): () => void {
    const gate = Promise.withResolvers<void>();
    this.#gate = gate;
    return () => {
      this.#gate = undefined;
      gate.resolve();
    };
  }

  async balanceOf(userId: UserId): Promise<number> {
    this.reads += 1;
    const balance = this.balances.get(userId) ?? 0;
    const { failure } = this;
    await this.#gate?.promise;
    if (failure !== undefined) throw failure;
    return balance;
  }
}

/** Caches of some nodes before one ledger and one Redis. */
export class CacheStage {
  readonly redis = new ScriptedRedis(models);
  readonly clock = new ManualClock();
  readonly accounts = new ScriptedAccounts();
  /** What the observers hear, of all nodes. */
  readonly seen: string[] = [];
  pending = 0;

  node(pendingUsersMax = 10_000): BalanceCache {
    const observer: BalanceCacheObserver = {
      onRequest: (_cache, result) => this.seen.push(result),
      onFill: (outcome) => this.seen.push(outcome),
      onInvalidations: (users, attempt) => this.seen.push(`${users} ${attempt}`),
      onPending: (users) => {
        this.pending = users;
      },
      onGenerationRaised: () => this.seen.push('raised'),
    };
    return new BalanceCache({
      redis: this.redis,
      clock: this.clock,
      observer,
      installationId: 'one',
      readBalance: (userId) => this.accounts.balanceOf(userId),
      ttlSeconds: 60,
      pendingUsersMax,
    });
  }

  /** The ledger has committed it; nobody has been told. */
  commit(userId: UserId, balance: number): void {
    this.accounts.balances.set(userId, balance);
  }

  /** What was seen since the last time. */
  news(): readonly string[] {
    return this.seen.splice(0);
  }

  /** A change as the ledger's decorator makes it: committed, then invalidated, then answered. */
  async change(node: BalanceCache, userId: UserId, balance: number): Promise<void> {
    this.commit(userId, balance);
    await this.settled(node.invalidations.add(userId));
  }

  /** The outcome of what waits for the clock's next turn. */
  async settled<T>(waiting: Promise<T>): Promise<T> {
    await this.clock.settle();
    return waiting;
  }
}
