import type { UserId } from '../../src/actors/allocator/ids.ts';
import type { Ledger, LedgerAuditor, PointsReader } from '../../src/actors/runtime/ledger.ts';
import type { BalanceCacheObserver } from '../../src/ledger/redis/balance-cache-observer.ts';
import { CachedLedger } from '../../src/ledger/redis/cached-ledger.ts';
import { RedisConnection } from '../../src/redis/redis-connection.ts';
import { systemClock } from '../../src/system-clock.ts';
import { memoryLedgerHarness } from '../contract/ledger-harness.ts';
import { pointsCharge } from '../contract/ledger-orders.ts';
import { until } from '../unit/redis/redis-stage.ts';

type WholeLedger = Ledger & PointsReader & LedgerAuditor;

/** What may come before a read of the ledger looks and after it has, and before and after a charge commits. */
interface Delays {
  beforeRead(userId: UserId): Promise<unknown> | undefined;
  afterRead(userId: UserId): Promise<unknown> | undefined;
  beforeCommit(userId: UserId): Promise<unknown> | undefined;
  afterCommit(userId: UserId): Promise<unknown> | undefined;
}

/** One ledger, which a test may slow down, and nodes that read it through one Redis. */
export class BalanceNodes {
  readonly source: WholeLedger;
  delays: Partial<Delays> = {};
  /** Reads of the ledger, of all nodes. */
  reads = 0;
  readonly installationId = `test${Math.random().toString(36).slice(2)}`;
  readonly #url: string;
  readonly #nodes: BalanceNode[] = [];
  #charges = 0;

  private constructor(url: string, source: WholeLedger) {
    this.#url = url;
    this.source = source;
  }

  static async open(url: string): Promise<BalanceNodes> {
    return new BalanceNodes(url, await memoryLedgerHarness().open());
  }

  /** Connected. */
  async node(options: Partial<NodeOptions> = {}): Promise<BalanceNode> {
    const { installationId } = this;
    const node = new BalanceNode(this.#url, this.#slowed(), { installationId, ttlSeconds: 60, ...options });
    this.#nodes.push(node);
    await until(() => node.redis.isUsable);
    return node;
  }

  /** By way of a node; resolves with the balance when the node has answered. */
  charge(node: BalanceNode, userId: UserId, amount: number): Promise<number> {
    return this.#charge(node.ledger, userId, amount);
  }

  /** By something that tells Redis nothing. */
  chargeBehindTheCache(userId: UserId, amount: number): Promise<number> {
    return this.#charge(this.source, userId, amount);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { ledger, redis } of this.#nodes) {
      await ledger.close();
      await redis.close();
    }
  }

  async #charge(ledger: Ledger, userId: UserId, amount: number): Promise<number> {
    this.#charges += 1;
    const outcome = await ledger.charge(pointsCharge(userId, amount, `k${this.#charges}`, Date.now()));
    if (outcome.kind !== 'charged') throw new Error(`a charge is ${outcome.kind}`);
    return outcome.balance;
  }

  /** What these tests call, with the ledger's own time drawn out. */
  #slowed(): WholeLedger {
    const { source } = this;
    const slowed: Pick<WholeLedger, 'charge' | 'balanceOf' | 'close'> = {
      charge: async (charge) => {
        await this.delays.beforeCommit?.(charge.userId);
        const outcome = await source.charge(charge);
        await this.delays.afterCommit?.(charge.userId);
        return outcome;
      },
      balanceOf: async (userId) => {
        this.reads += 1;
        await this.delays.beforeRead?.(userId);
        const balance = await source.balanceOf(userId);
        await this.delays.afterRead?.(userId);
        return balance;
      },
      close: async () => {},
    };
    return slowed as WholeLedger;
  }
}

interface NodeOptions {
  readonly installationId: string;
  readonly ttlSeconds: number;
  readonly pendingUsersMax?: number;
  /** Default 50. */
  readonly commandLimitMs?: number;
}

/** What no busy machine makes a Redis exceed that is well: a deletion that is late may be seen elsewhere. */
export const patient = { commandLimitMs: 5_000 };

/** A decorator with a connection of its own, and what it tells. */
export class BalanceNode {
  readonly redis: RedisConnection;
  readonly ledger: CachedLedger;
  readonly seen: string[] = [];
  pending = 0;
  timeouts = 0;

  constructor(url: string, source: WholeLedger, { commandLimitMs = 50, ...options }: NodeOptions) {
    this.redis = new RedisConnection({
      url,
      clock: systemClock,
      commandLimitMs,
      observer: {
        onTimeout: () => {
          this.timeouts += 1;
        },
        onConnection: () => {},
      },
      onNotice: () => {},
    });
    const observer: BalanceCacheObserver = {
      onRequest: (_cache, result) => this.seen.push(result),
      onFill: (outcome) => this.seen.push(outcome),
      onInvalidations: () => {},
      onPending: (users) => {
        this.pending = users;
      },
      onGenerationRaised: () => this.seen.push('raised'),
    };
    this.ledger = new CachedLedger(source, { redis: this.redis, clock: systemClock, observer, ...options });
  }

  balanceOf(userId: UserId): Promise<number> {
    return this.ledger.balanceOf(userId);
  }

  count(what: string): number {
    return this.seen.filter((event) => event === what).length;
  }
}
