import { assert } from '../allocator/assert.ts';
import type { ShardId } from '../allocator/ids.ts';
import type { Clock, ShardEpoch, ShardRecord, ShardStore } from './ports.ts';

/**
 * owned: this node decides, under the epoch it holds.
 * suspect: ours as far as we know, but a commit of unknown fate may still land under the epoch we hold, or
 * the store has refused that epoch. It must be renewed, which shuts that commit out, before anything is read.
 * lost: the store said that somebody else has it, or we have given it away. Never taken back on our own (I3).
 */
type Standing = 'owned' | 'suspect' | 'lost';

interface Shard {
  readonly epoch: number;
  standing: Standing;
  /** When the store was last asked, by the monotonic clock, that has answered that the shard is ours. */
  knownAtMs: number;
}

/**
 * The shards of this node and the epochs under which it may write.
 *
 * Success is fenced by the store. What rests on memory alone, a refusal, a read, a first answer again, is not: it
 * is given only while the store has said within `trustMs` that the shards are ours. Whoever takes a shard from us
 * stays silent for as long after that. So the two of us never answer for the same moment (I12).
 */
export class Ownership {
  readonly #store: ShardStore;
  readonly #owner: string;
  readonly #trust: Trust | undefined;
  readonly #shards = new Map<ShardId, Shard>();
  /** Of shards that are no longer known here as well. */
  readonly #highestEpochs = new Map<ShardId, number>();
  /** One renewal at a time for a shard: a second one would fence what the first has made possible. */
  readonly #renewals = new Map<ShardId, Promise<void>>();
  #confirmation: Promise<readonly ShardRecord[]> | undefined;

  /** @param trust absent: memory is trusted until the store says otherwise, as suits a node on its own. */
  constructor(store: ShardStore, owner: string, trust?: Trust) {
    this.#store = store;
    this.#owner = owner;
    this.#trust = trust;
  }

  async claim(shardIds: readonly ShardId[]): Promise<void> {
    const askedAtMs = this.#nowMs();
    this.adopt(await this.#store.claimShards(this.#owner, shardIds), askedAtMs);
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
    const askedAtMs = this.#nowMs();
    const renewed = await this.#store.renewShards(this.#owner, [shardId]);
    if (renewed.length === 0) this.markLost([shardId]);
    else this.raise(renewed, askedAtMs);
  }

  /**
   * Newer epochs of shards that are ours. One that was lost or released since the store was asked stays so: the
   * answer tells of a moment that is over. So does an epoch that comes after a newer one.
   */
  raise(shards: readonly ShardEpoch[], askedAtMs: number): void {
    this.adopt(
      shards.filter(({ shardId, epoch }) => {
        const shard = this.#shards.get(shardId);
        return shard !== undefined && shard.standing !== 'lost' && epoch > shard.epoch;
      }),
      askedAtMs,
    );
  }

  /** Epochs that the store has given us. @param askedAtMs when it was asked for them, by the monotonic clock. */
  adopt(shards: readonly ShardEpoch[], askedAtMs: number): void {
    for (const { shardId, epoch } of shards) {
      assert(epoch > (this.#highestEpochs.get(shardId) ?? 0), 'I3: epochs never go back');
      this.#highestEpochs.set(shardId, epoch);
      this.#shards.set(shardId, { epoch, standing: 'owned', knownAtMs: askedAtMs });
    }
  }

  /** No longer ours, by our own will. Under its epoch we never come back. */
  release(shardId: ShardId): void {
    this.#shards.delete(shardId);
  }

  standing(shardId: ShardId): Standing {
    return this.#shards.get(shardId)?.standing ?? 'lost';
  }

  /** Whether what is in memory of the shard may be answered without asking the store. */
  isTrusted(shardId: ShardId): boolean {
    if (this.#trust === undefined) return true;
    const knownAtMs = this.#shards.get(shardId)?.knownAtMs ?? Number.NEGATIVE_INFINITY;
    return this.#nowMs() - knownAtMs <= this.#trust.trustMs;
  }

  /**
   * Asks the store whose the shards are; what was ours and is no more is lost. One question at a time: an answer
   * that is under way is waited for, and may be too old to be trusted any more. Rejects with StoreUnavailable.
   * @returns what the store said, of all shards.
   */
  confirm(): Promise<readonly ShardRecord[]> {
    this.#confirmation ??= this.#confirm().finally(() => {
      this.#confirmation = undefined;
    });
    return this.#confirmation;
  }

  async #confirm(): Promise<readonly ShardRecord[]> {
    const askedAtMs = this.#nowMs();
    const records = await this.#store.listShards();
    const ours = new Map<ShardId, number>();
    for (const { shardId, owner, epoch } of records) if (owner === this.#owner) ours.set(shardId, epoch);
    for (const [shardId, shard] of this.#shards) {
      // What we were given after the question may not be in the answer.
      if (this.#trust !== undefined && shard.knownAtMs >= askedAtMs) continue;
      const epoch = ours.get(shardId);
      if (epoch === undefined) shard.standing = 'lost';
      else if (epoch === shard.epoch) shard.knownAtMs = askedAtMs;
      // Ours again, and somebody else's in between; or an answer is under way that tells us of our new epoch.
      else if (epoch > shard.epoch && shard.standing === 'owned') shard.standing = 'suspect';
    }
    return records;
  }

  #nowMs(): number {
    return this.#trust?.clock.monotonicMs() ?? 0;
  }

  /** Those that are not lost. */
  owned(): readonly ShardEpoch[] {
    return [...this.#shards]
      .filter(([, { standing }]) => standing !== 'lost')
      .map(([shardId, { epoch }]) => ({ shardId, epoch }));
  }

  /** Shards that this node has had, and that somebody else has taken. */
  lost(): readonly ShardId[] {
    return [...this.#shards].filter(([, { standing }]) => standing === 'lost').map(([shardId]) => shardId);
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

interface Trust {
  readonly clock: Clock;
  readonly trustMs: number;
}
