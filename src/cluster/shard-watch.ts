import type { ShardId } from '../actors/allocator/ids.ts';
import type { Clock, ShardRecord } from '../actors/runtime/ports.ts';
import type { ShardHost } from '../actors/runtime/shard-host.ts';
import type { ClusterObserver } from './cluster-observer.ts';
import type { RouteTable } from './route-table.ts';
import type { ShardGiver } from './shard-giver.ts';
import type { ShardRouter } from './shard-router.ts';
import type { ShardTaker } from './shard-taker.ts';

/**
 * Looks at what the store says of all shards, each time that it was asked, and sets this node right: routes to others,
 * shards that were lost, and shards that bear this node's name while nobody serves them. So a move that died at any
 * step comes to its end (I13).
 */
export class ShardWatch {
  readonly #options: ShardWatchOptions;
  /** Since when the store has them under our name, and they are not served. */
  readonly #unservedSinceMs = new Map<ShardId, number>();

  constructor(options: ShardWatchOptions) {
    this.#options = options;
  }

  /** @param records what the store has just said; what was lost by it is known to the host already. */
  onRecords(records: readonly ShardRecord[]): void {
    const { host, routes, router, observer } = this.#options;
    const changed = routes.read(records);
    const giving = this.#giving();
    // A shard that has just been given away is no loss: its giver sees to it.
    const lost = host.lostShards().filter((shardId) => !giving.has(shardId));
    if (lost.length > 0) observer.onLost(lost);
    for (const shardId of lost) host.release(shardId);
    router.onRoutesChanged([...changed, ...lost]);
    this.#resume(records);
  }

  #giving(): ReadonlySet<ShardId> {
    return new Set(this.#options.giver.liveMoves().map(({ shardId }) => shardId));
  }

  #resume(records: readonly ShardRecord[]): void {
    const { instanceId, host, taker, clock, resumeAfterMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const giving = this.#giving();
    const overdue: ShardId[] = [];
    for (const { shardId, owner } of records) {
      const isUnserved =
        owner === instanceId && !host.serves(shardId) && !taker.isIncoming(shardId) && !giving.has(shardId);
      if (!isUnserved) {
        this.#unservedSinceMs.delete(shardId);
        continue;
      }
      const sinceMs = this.#unservedSinceMs.get(shardId) ?? nowMs;
      this.#unservedSinceMs.set(shardId, sinceMs);
      if (nowMs - sinceMs >= resumeAfterMs) overdue.push(shardId);
    }
    for (const shardId of overdue) this.#unservedSinceMs.delete(shardId);
    if (overdue.length > 0) void taker.resume(overdue);
  }
}

interface ShardWatchOptions {
  readonly instanceId: string;
  readonly host: ShardHost;
  readonly routes: RouteTable;
  readonly router: Pick<ShardRouter, 'onRoutesChanged'>;
  readonly giver: Pick<ShardGiver, 'liveMoves'>;
  readonly taker: Pick<ShardTaker, 'isIncoming' | 'resume'>;
  readonly clock: Clock;
  readonly observer: ClusterObserver;
  /** Longer than a giver waits before it takes a shard back. */
  readonly resumeAfterMs: number;
}
