import { assert } from '../allocator/assert.ts';
import type { ShardId } from '../allocator/ids.ts';
import type { ShardEpoch, ShardStore } from './ports.ts';

/**
 * owned: this node decides, under the epoch it holds.
 * suspect: ours as far as we know, but a commit of unknown fate may still land under the epoch we hold, or
 * the store has refused that epoch. It must be renewed, which shuts that commit out, before anything is read.
 * lost: the store said that somebody else has it. Never taken back on our own (I3).
 */
type Standing = 'owned' | 'suspect' | 'lost';

/** The shards of this node and the epochs under which it may write. */
export class Ownership {
  readonly #store: ShardStore;
  readonly #owner: string;
  readonly #shards = new Map<ShardId, { epoch: number; standing: Standing }>();
  /** One renewal at a time for a shard: a second one would fence what the first has made possible. */
  readonly #renewals = new Map<ShardId, Promise<void>>();

  constructor(store: ShardStore, owner: string) {
    this.#store = store;
    this.#owner = owner;
  }

  async claim(shardIds: readonly ShardId[]): Promise<void> {
    this.adopt(await this.#store.claimShards(this.#owner, shardIds));
  }

  /** Makes a suspect shard owned again, under a new epoch, or finds it lost. */
  renew(shardId: ShardId): Promise<void> {
    assert(this.standing(shardId) === 'suspect', 'I3: a lost shard is never taken back on our own');
    const underWay = this.#renewals.get(shardId);
    if (underWay !== undefined) return underWay;
    const renewal = this.#renew(shardId).finally(() => this.#renewals.delete(shardId));
    this.#renewals.set(shardId, renewal);
    return renewal;
  }

  async #renew(shardId: ShardId): Promise<void> {
    const renewed = await this.#store.renewShards(this.#owner, [shardId]);
    if (renewed.length === 0) this.markLost([shardId]);
    else this.adopt(renewed);
  }

  /** Epochs that the store has just given us. */
  adopt(shards: readonly ShardEpoch[]): void {
    for (const { shardId, epoch } of shards) {
      const before = this.#shards.get(shardId);
      assert(before === undefined || epoch > before.epoch, 'I3: epochs never go back');
      this.#shards.set(shardId, { epoch, standing: 'owned' });
    }
  }

  standing(shardId: ShardId): Standing {
    return this.#shards.get(shardId)?.standing ?? 'lost';
  }

  /**
   * What the store says is ours, read after the claim: all others are lost. A shard that is ours is left as it is.
   * @returns how many were lost that were not known to be.
   */
  keepOnly(shardIds: readonly ShardId[]): number {
    const ours = new Set(shardIds);
    const lost = [...this.#shards].filter(([id, { standing }]) => standing !== 'lost' && !ours.has(id));
    this.markLost(lost.map(([shardId]) => shardId));
    return lost.length;
  }

  /** Shards that this node has had, and that somebody else has by now. */
  get lostShards(): number {
    let lost = 0;
    for (const { standing } of this.#shards.values()) lost += Number(standing === 'lost');
    return lost;
  }

  epoch(shardId: ShardId): number {
    const shard = this.#shards.get(shardId);
    assert(shard?.standing === 'owned', 'I3: only the owner writes');
    return shard.epoch;
  }

  markLost(shardIds: Iterable<ShardId>): void {
    this.#mark(shardIds, 'lost');
  }

  markSuspect(shardIds: Iterable<ShardId>): void {
    this.#mark(shardIds, 'suspect');
  }

  #mark(shardIds: Iterable<ShardId>, standing: Standing): void {
    for (const shardId of shardIds) {
      const shard = this.#shards.get(shardId);
      if (shard !== undefined) shard.standing = standing;
    }
  }
}
