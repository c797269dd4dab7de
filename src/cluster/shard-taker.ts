import type { ShardId } from '../actors/allocator/ids.ts';
import type { Clock, ShardEpoch, ShardStore } from '../actors/runtime/ports.ts';
import type { ShardHost } from '../actors/runtime/shard-host.ts';
import type { Advertiser } from './advertiser.ts';
import type { ClusterObserver } from './cluster-observer.ts';
import type { ClusterTiming } from './cluster-timing.ts';
import type { PersistentAsk } from './persistent-ask.ts';
import type { RouteTable } from './route-table.ts';
import {
  type ActivateOrder,
  type ClaimOrder,
  done,
  failed,
  type OrderResult,
  type PreloadOrder,
} from './shard-order.ts';
import type { ShardRouter } from './shard-router.ts';

/**
 * How shards come to a node: given by their owner, taken from one that is gone, or found under this node's name in
 * the store, when whoever gave them has died over it.
 *
 * I3 epochs are the store's: an order is checked against it before anything is served.
 * I12 a shard that was taken is silent for trustMs first: then its last owner answers from memory no more.
 */
export class ShardTaker {
  readonly #options: ShardTakerOptions;
  /** On their way in: nobody else looks after them. */
  readonly #incoming = new Set<ShardId>();
  #refusesNew = false;

  constructor(options: ShardTakerOptions) {
    this.#options = options;
  }

  get hasIncoming(): boolean {
    return this.#incoming.size > 0;
  }

  isIncoming(shardId: ShardId): boolean {
    return this.#incoming.has(shardId);
  }

  /** From now on nothing new is begun. What its giver has handed over already comes in all the same. */
  refuseNew(): void {
    this.#refusesNew = true;
  }

  /** Never rejects, as the others. */
  async preload({ scheduleIds }: PreloadOrder): Promise<OrderResult> {
    if (this.#refusesNew) return failed('the node drains');
    try {
      await this.#options.host.preload(scheduleIds);
      return done;
    } catch (error) {
      return failed((error as Error).message);
    }
  }

  async activate({ shardId, epoch, sealed }: ActivateOrder): Promise<OrderResult> {
    const { host, store, clock, instanceId } = this.#options;
    if (this.#incoming.has(shardId)) return failed('the shard is coming in already');
    if (this.#isServedSince(shardId, epoch)) return done;
    this.#dropStale([shardId]);
    return this.#bringIn([shardId], async () => {
      const knownAtMs = clock.monotonicMs();
      const record = (await store.listShards()).find((each) => each.shardId === shardId);
      if (record?.owner !== instanceId || record.epoch !== epoch) {
        return failed(`the store has the shard under ${record?.owner} at epoch ${record?.epoch}`);
      }
      await this.#serve([{ shardId, epoch }], () => host.serve([{ shardId, epoch }], knownAtMs, sealed));
      return done;
    });
  }

  /** From owners that are gone. Those that somebody else has taken first are left out. */
  async claim({ shards }: ClaimOrder): Promise<OrderResult> {
    const { host, store, ask, clock, timing, instanceId, observer, routes } = this.#options;
    if (this.#refusesNew) return failed('the node drains');
    const wanted = shards.filter(
      ({ shardId, epoch }) => !this.#incoming.has(shardId) && !this.#isServedSince(shardId, epoch),
    );
    if (wanted.length === 0) return done;
    this.#dropStale(wanted.map(({ shardId }) => shardId));
    const owners = new Set(wanted.map(({ shardId }) => routes.ownerOf(shardId)?.owner ?? 'nobody'));
    return this.#bringIn(
      wanted.map(({ shardId }) => shardId),
      async () => {
        const knownAtMs = clock.monotonicMs();
        const taken = await store.transferShards(wanted, instanceId, 'taken');
        if (taken.length === 0) return done;
        observer.onClaim(taken.length, [...owners]);
        // Nobody answers for what nobody has ever had.
        if (taken.some(({ epoch }) => epoch > 1)) await ask.pause(timing.trustMs);
        await this.#serve(taken, () => host.serve(taken, knownAtMs));
        return done;
      },
    );
  }

  /** What the store says is ours, and nobody brings in: under a new epoch, so that nothing old can still happen. */
  async resume(shardIds: readonly ShardId[]): Promise<OrderResult> {
    const { host, store, clock, instanceId } = this.#options;
    return this.#bringIn(shardIds, async () => {
      const knownAtMs = clock.monotonicMs();
      const renewed = await store.renewShards(instanceId, shardIds);
      if (renewed.length > 0) await this.#serve(renewed, () => host.serve(renewed, knownAtMs));
      return done;
    });
  }

  /** What is served under an older epoch is over: somebody else has had the shard since. */
  #dropStale(shardIds: readonly ShardId[]): void {
    const { host } = this.#options;
    for (const shardId of shardIds) if (host.serves(shardId)) host.release(shardId);
  }

  #isServedSince(shardId: ShardId, epoch: number): boolean {
    const served = this.#options.host.servedShards().find((shard) => shard.shardId === shardId);
    return served !== undefined && served.epoch >= epoch;
  }

  async #bringIn(shardIds: readonly ShardId[], work: () => Promise<OrderResult>): Promise<OrderResult> {
    const { router, observer } = this.#options;
    for (const shardId of shardIds) {
      this.#incoming.add(shardId);
      router.hold(shardId);
    }
    try {
      return await work();
    } catch (error) {
      // What the store has given us all the same is found there, and brought in again (shard-watch.ts).
      observer.onFault('shards could not be brought in', error);
      return failed((error as Error).message);
    } finally {
      for (const shardId of shardIds) {
        this.#incoming.delete(shardId);
        router.letGo(shardId);
      }
    }
  }

  /** The registry hears of it when calls are answered here, and not before. */
  async #serve(shards: readonly ShardEpoch[], serve: () => Promise<void>): Promise<void> {
    const { routes, advertiser, instanceId } = this.#options;
    await serve();
    routes.hear(shards.map((shard) => ({ ...shard, owner: instanceId })));
    advertiser.tell(shards);
  }
}

interface ShardTakerOptions {
  readonly instanceId: string;
  readonly host: ShardHost;
  readonly store: Pick<ShardStore, 'transferShards' | 'renewShards' | 'listShards'>;
  readonly router: Pick<ShardRouter, 'hold' | 'letGo'>;
  readonly routes: RouteTable;
  readonly advertiser: Pick<Advertiser, 'tell'>;
  readonly ask: PersistentAsk;
  readonly clock: Clock;
  readonly observer: ClusterObserver;
  readonly timing: ClusterTiming;
}
