import { assert } from '../allocator/assert.ts';
import type { ScheduleId, ShardId } from '../allocator/ids.ts';
import type { Actor } from './actor.ts';
import type { CatalogCache } from './catalog-cache.ts';
import type { Ownership } from './ownership.ts';
import type { Payments } from './payments.ts';
import { type ShardEpoch, type ShardStore, StoreUnavailable } from './ports.ts';
import type { RuntimeObserver } from './runtime-observer.ts';
import type { SealedSchedule, SeatWatcher, ShardHost } from './shard-host.ts';

/** Brings shards into a directory and takes them out of it, with the actors that are theirs. */
export class ShardKeeper implements ShardHost {
  readonly #options: ShardKeeperOptions;
  readonly #sealed = new Set<ShardId>();
  /** Served, but not all that has open work is in memory yet. */
  readonly #arriving = new Set<ShardId>();

  constructor(options: ShardKeeperOptions) {
    this.#options = options;
  }

  servedShards(): readonly ShardEpoch[] {
    return this.#options.ownership.owned();
  }

  serves(shardId: ShardId): boolean {
    return this.#options.ownership.standing(shardId) !== 'lost';
  }

  lostShards(): readonly ShardId[] {
    return this.#options.ownership.lost();
  }

  isSealed(shardId: ShardId): boolean {
    return this.#sealed.has(shardId);
  }

  awakeSchedules(shardId: ShardId): readonly ScheduleId[] {
    return this.#actorsOf(shardId)
      .filter(({ state }) => state !== undefined)
      .map(({ scheduleId }) => scheduleId);
  }

  async preload(scheduleIds: readonly ScheduleId[]): Promise<void> {
    await this.#learnOf(scheduleIds);
    for (const scheduleId of scheduleIds) await this.#options.actors.find(scheduleId)?.preload();
  }

  async seal(shardId: ShardId): Promise<readonly SealedSchedule[]> {
    assert(!this.#sealed.has(shardId), 'a shard is sealed once');
    const { payments, shardOf } = this.#options;
    const isOf = (scheduleId: ScheduleId) => shardOf(scheduleId) === shardId;
    // Before the actors stop: S2 of a payment is one of their commands.
    await payments.answerAll(isOf, paymentPatienceMs);
    if (!this.serves(shardId)) throw new Error(`shard ${shardId} is not served here any more`);
    if (this.#arriving.has(shardId)) throw new Error(`shard ${shardId} has only just come`);
    this.#sealed.add(shardId);
    const actors = this.#actorsOf(shardId);
    for (const actor of actors) actor.pause();
    try {
      const sealed = await Promise.all(actors.map((actor) => actor.sealed()));
      // Payments whose S0 has come to the disk since.
      await payments.answerAll(isOf, 0);
      return sealed.filter((schedule) => schedule !== undefined);
    } catch (error) {
      this.unseal(shardId);
      throw error;
    }
  }

  unseal(shardId: ShardId, raised?: { readonly epoch: number; readonly knownAtMs: number }): void {
    if (raised !== undefined) {
      this.#options.ownership.raise([{ shardId, epoch: raised.epoch }], raised.knownAtMs);
    }
    if (!this.#sealed.delete(shardId)) return;
    for (const actor of this.#actorsOf(shardId)) actor.resume();
  }

  release(shardId: ShardId): void {
    const { ownership, payments, actors, shardOf } = this.#options;
    ownership.release(shardId);
    this.#sealed.delete(shardId);
    for (const actor of this.#actorsOf(shardId)) {
      actors.drop(actor.scheduleId);
      actor.dismiss();
    }
    payments.letGo((scheduleId) => shardOf(scheduleId) === shardId);
  }

  async serve(
    shards: readonly ShardEpoch[],
    knownAtMs: number,
    sealed?: readonly SealedSchedule[],
  ): Promise<void> {
    const { ownership, store } = this.#options;
    if (sealed !== undefined) await this.#learnOf(sealed.map(({ scheduleId }) => scheduleId));
    const shardIds = shards.map(({ shardId }) => shardId);
    ownership.adopt(shards, knownAtMs);
    for (const shardId of shardIds) this.#arriving.add(shardId);
    try {
      await store.followShards(shardIds);
      if (sealed === undefined) await this.#wakeOpenWork(new Set(shardIds));
      else await Promise.all(sealed.map((schedule) => this.#takeOn(schedule)));
    } catch (error) {
      for (const shardId of shardIds) this.release(shardId);
      throw error;
    } finally {
      for (const shardId of shardIds) this.#arriving.delete(shardId);
    }
  }

  watchSeats(scheduleId: ScheduleId, watcher: SeatWatcher): () => void {
    const actor = this.#options.actors.find(scheduleId);
    if (actor !== undefined) return actor.watch(watcher);
    watcher.onEnd();
    return () => {};
  }

  async #wakeOpenWork(shardIds: ReadonlySet<ShardId>): Promise<void> {
    const { store, actors, shardOf } = this.#options;
    const open = (await store.schedulesWithOpenWork()).filter((id) => shardIds.has(shardOf(id)));
    await this.#learnOf(open);
    for (const scheduleId of open) actors.find(scheduleId)?.wake();
  }

  /** I11: what comes out of the store is what its giver had in memory. If it isn't, the store is right. */
  async #takeOn({ scheduleId, seq, fingerprint }: SealedSchedule): Promise<void> {
    const actor = this.#options.actors.find(scheduleId);
    assert(actor !== undefined, 'a schedule that was sold exists');
    for (const attempt of ['preloaded', 'whole']) {
      actor.wake();
      await actor.whenRecovered();
      if (actor.fingerprint === undefined)
        throw new StoreUnavailable(`schedule ${scheduleId} did not recover`);
      if (actor.fingerprint === fingerprint) return;
      const fault = `I11: schedule ${scheduleId} at seq ${actor.state?.seq} (${attempt}) is not its giver's at ${seq}`;
      this.#options.observer.onFault(fault, undefined);
      if (attempt === 'preloaded') actor.sleep();
    }
  }

  /** Another node may have created them since this one read the catalogue. */
  async #learnOf(scheduleIds: readonly ScheduleId[]): Promise<void> {
    const { catalog } = this.#options;
    if (scheduleIds.some((scheduleId) => catalog.schedule(scheduleId) === undefined)) await catalog.learn();
  }

  #actorsOf(shardId: ShardId): readonly Actor[] {
    return [...this.#options.actors.all()].filter((actor) => actor.shardId === shardId);
  }
}

/** Payments by points take a few milliseconds; who pays by card may be told that it goes on. */
const paymentPatienceMs = 200;

interface ShardKeeperOptions {
  readonly ownership: Ownership;
  readonly payments: Payments;
  readonly actors: {
    all(): Iterable<Actor>;
    /** Makes it on first use; undefined for a schedule that does not exist. */
    find(scheduleId: ScheduleId): Actor | undefined;
    drop(scheduleId: ScheduleId): void;
  };
  readonly catalog: CatalogCache;
  readonly store: ShardStore;
  readonly observer: RuntimeObserver;
  shardOf(scheduleId: ScheduleId): ShardId;
}
