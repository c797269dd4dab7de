import type { ShardId } from '../actors/allocator/ids.ts';
import type { ClusterRecords, MoveRecord } from '../actors/runtime/cluster-records.ts';
import {
  type Clock,
  type ShardRecord,
  type ShardStore,
  StoreUnavailable,
  type TimerHandle,
} from '../actors/runtime/ports.ts';
import type { ClusterObserver } from './cluster-observer.ts';
import type { ClusterTiming } from './cluster-timing.ts';
import { nodeIdOf } from './instance-id.ts';
import type { Membership } from './membership.ts';
import type { Orders } from './orders.ts';
import { type PlacementNode, placeOrphans } from './placement.ts';
import { plannedDrain, shownNodes, shownShards } from './placement-input.ts';
import type { OrderResult } from './shard-order.ts';

/**
 * What one node at a time does for all: it gives orphaned shards to nodes that live, takes all from those that drain,
 * and carries out the moves that are planned, a few at a time. Which node that is, a lease in the registry says.
 *
 * Nothing here is needed for safety. Two coordinators, or one that knows the wrong things, order claims and moves that
 * the store refuses, or that move a shard for nothing. What it has begun is in the store's records, and the next one
 * goes on with it.
 *
 * I13 an owner is dead when its lease has ended and it does not answer when it is asked: then its shards are claimed.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  /** Shards of orders that are on their way, and when they may be claimed again. */
  readonly #claiming = new Map<ShardId, number>();
  readonly #moving = new Map<number, Promise<void>>();
  /** A node whose moves fail is not asked for the next ones at once. */
  readonly #rests = new Map<string, { readonly durationMs: number; readonly untilMs: number }>();
  /** Nodes whose claims failed. */
  readonly #avoidUntilMs = new Map<string, number>();
  #timer: TimerHandle | undefined;
  #isStopped = false;
  #isPumping = false;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#later();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #later(): void {
    if (this.#isStopped) return;
    const { clock, timing } = this.#options;
    this.#timer = clock.setTimer(timing.beatEveryMs, () => void this.#tick().finally(() => this.#later()));
  }

  async #tick(): Promise<void> {
    const { membership, store, observer } = this.#options;
    if (!membership.isCoordinator) return;
    try {
      const records = await store.listShards();
      await this.#claimOrphans(records);
      await this.#drainNodes(records);
      await this.#pumpMoves();
    } catch (error) {
      // The next tick is not far; and the store has told by itself that it does not answer.
      if (!(error instanceof StoreUnavailable)) observer.onFault('coordinating failed', error);
    }
  }

  async #claimOrphans(records: readonly ShardRecord[]): Promise<void> {
    const { membership, clock, observer } = this.#options;
    if (!membership.mayJudge(clock.monotonicMs())) return;
    const gone = await this.#ownersThatAreGone(records);
    const orphans = this.#orphansOf(records, gone);
    if (orphans.length === 0) return;
    const shards = shownShards(membership.live(), this.#options.shardCount, records).map((shard) =>
      shard.owner !== undefined && gone.has(shard.owner) ? { ...shard, owner: undefined } : shard,
    );
    const isOrphan = new Set(orphans);
    const byTaker = Map.groupBy(
      placeOrphans(this.#takers(), shards).filter(({ shardId }) => isOrphan.has(shardId)),
      ({ to }) => to.instanceId,
    );
    const epochOf = new Map(records.map(({ shardId, epoch }) => [shardId, epoch]));
    for (const [taker, placements] of byTaker) {
      const claims = placements.map(({ shardId }) => ({ shardId, epoch: epochOf.get(shardId) ?? 0 }));
      for (const { shardId } of claims) this.#claiming.set(shardId, Number.POSITIVE_INFINITY);
      void this.#options.orders.claim(taker, { shards: claims }).then((result) => {
        const againAtMs = clock.monotonicMs() + (result.isDone ? 0 : retryMs);
        for (const { shardId } of claims) this.#claiming.set(shardId, againAtMs);
        if (result.isDone) return;
        this.#avoidUntilMs.set(taker, clock.monotonicMs() + avoidMs);
        observer.onFault(`a claim by ${taker} failed`, new Error(result.detail));
      });
    }
    void this.#note(
      `claim ${orphans.length} shards of ${namesOf(gone)}`,
      gone.size === 0 ? 'nobody has ever had them' : 'their owner is gone',
    );
  }

  /** One that lives, by the registry, may all the same be out of reach: others are asked next. */
  #takers(): readonly PlacementNode[] {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [taker, untilMs] of this.#avoidUntilMs) if (untilMs <= nowMs) this.#avoidUntilMs.delete(taker);
    const nodes = shownNodes(this.#options.membership.live());
    const reached = nodes.filter(({ instanceId }) => !this.#avoidUntilMs.has(instanceId));
    return reached.some(({ isDraining }) => !isDraining) ? reached : nodes;
  }

  /** Owners, by the store, who are neither live by the registry nor answer themselves. */
  async #ownersThatAreGone(records: readonly ShardRecord[]): Promise<ReadonlySet<string>> {
    const { membership, orders } = this.#options;
    const silent = new Set(records.map(({ owner }) => owner).filter((owner) => !membership.isLive(owner)));
    const gone = await Promise.all(
      [...silent].map(async (owner) => ((await orders.ping(owner)) ? undefined : owner)),
    );
    return new Set(gone.filter((owner) => owner !== undefined));
  }

  #orphansOf(records: readonly ShardRecord[], gone: ReadonlySet<string>): readonly ShardId[] {
    const { membership, clock, shardCount, timing } = this.#options;
    const owners = new Map(records.map(({ shardId, owner }) => [shardId, owner]));
    const areNewOnesDue = !membership.joinedWithin(timing.settleMs);
    const nowMs = clock.monotonicMs();
    return Array.from({ length: shardCount }, (_, shardId) => shardId as ShardId).filter((shardId) => {
      if ((this.#claiming.get(shardId) ?? 0) > nowMs) return false;
      const owner = owners.get(shardId);
      return owner === undefined ? areNewOnesDue : gone.has(owner);
    });
  }

  async #drainNodes(records: readonly ShardRecord[]): Promise<void> {
    const { membership, records: kept, clock, shardCount, nodeId } = this.#options;
    for (const { instanceId, state } of membership.live()) {
      const name = nodeIdOf(instanceId);
      if (state !== 'draining' || this.#isResting(name)) continue;
      if (!records.some(({ owner }) => owner === instanceId)) continue;
      const open = new Set((await kept.listOpenMoves()).map(({ shardId }) => shardId));
      const plan = plannedDrain(instanceId, membership.live(), shardCount, records);
      const missing = plan.filter(({ shardId }) => !open.has(shardId));
      if (missing.length === 0) continue;
      const action = {
        atMs: clock.nowMs(),
        who: nodeId,
        what: `move ${missing.length} shards off ${name}`,
        why: 'it drains',
      };
      await kept.planMoves(missing, action);
    }
  }

  /** Starts planned moves up to the limit; those of a coordinator before this one are ordered again. */
  async #pumpMoves(): Promise<void> {
    const { records: kept, movesInFlightMax } = this.#options;
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      for (const move of await kept.listOpenMoves()) {
        if (this.#moving.size >= movesInFlightMax) break;
        if (this.#moving.has(move.moveId) || this.#isResting(move.fromNodeId)) continue;
        if (this.#isTakerJoining(move)) continue;
        this.#moving.set(move.moveId, this.#carryOut(move));
      }
    } finally {
      this.#isPumping = false;
    }
  }

  /** Whoever has planned the move may have seen its taker a beat sooner. */
  #isTakerJoining({ toNodeId, plannedAtMs }: MoveRecord): boolean {
    const { membership, clock, timing } = this.#options;
    return membership.upInstanceOf(toNodeId) === undefined && clock.nowMs() - plannedAtMs < timing.leaseMs;
  }

  async #carryOut(move: MoveRecord): Promise<void> {
    const { records: kept, clock, observer, membership } = this.#options;
    const { moveId, fromNodeId } = move;
    try {
      await kept.updateMove(moveId, 'running', '', clock.nowMs());
      const { isDone, detail } = await this.#order(move);
      await kept.updateMove(moveId, isDone ? 'done' : 'failed', detail.slice(0, 500), clock.nowMs());
      if (isDone) this.#rests.delete(fromNodeId);
      else this.#rest(fromNodeId);
    } catch (error) {
      // It stays open, and is ordered again after a while: that does no harm, whatever has become of it.
      this.#rest(fromNodeId);
      if (!(error instanceof StoreUnavailable)) observer.onFault(`move ${moveId} broke`, error);
    } finally {
      this.#moving.delete(moveId);
    }
    if (membership.isCoordinator && !this.#isStopped) await this.#pumpMoves().catch(() => {});
  }

  async #order({ moveId, shardId, toNodeId }: MoveRecord): Promise<OrderResult> {
    const { membership, store, orders } = this.#options;
    const taker = membership.upInstanceOf(toNodeId);
    if (taker === undefined) return { isDone: false, detail: `${toNodeId} is not up` };
    const owner = (await store.listShards()).find((record) => record.shardId === shardId)?.owner;
    if (owner === undefined) return { isDone: false, detail: 'nobody has the shard' };
    if (owner === taker.instanceId) return { isDone: true, detail: '' };
    return orders.give(owner, { moveId, shardId, toInstanceId: taker.instanceId });
  }

  /** After a failure, twice as long as after the one before; those that fail together count as one. */
  #rest(nodeId: string): void {
    if (this.#isResting(nodeId)) return;
    // Of several that were under way, the first one counts.
    if (this.#isResting(nodeId)) return;
    const { durationMs = retryMs / 2 } = this.#rests.get(nodeId) ?? {};
    const nextMs = Math.min(2 * durationMs, restMaxMs);
    this.#rests.set(nodeId, { durationMs: nextMs, untilMs: this.#options.clock.monotonicMs() + nextMs });
  }

  #isResting(nodeId: string): boolean {
    return (this.#rests.get(nodeId)?.untilMs ?? 0) > this.#options.clock.monotonicMs();
  }

  async #note(what: string, why: string): Promise<void> {
    const { records: kept, clock, nodeId } = this.#options;
    await kept.appendAction({ atMs: clock.nowMs(), who: nodeId, what, why }).catch(() => {});
  }
}

/** After something failed that is tried again. */
const retryMs = 1_000;
const restMaxMs = 8_000;
const avoidMs = 5_000;

const namesOf = (owners: ReadonlySet<string>): string =>
  owners.size === 0 ? 'nobody' : [...owners].map(nodeIdOf).join(', ');

interface CoordinatorOptions {
  readonly nodeId: string;
  readonly shardCount: number;
  readonly membership: Membership;
  readonly store: Pick<ShardStore, 'listShards'>;
  readonly records: ClusterRecords;
  readonly orders: Orders;
  readonly clock: Clock;
  readonly observer: ClusterObserver;
  readonly timing: ClusterTiming;
  readonly movesInFlightMax: number;
}
