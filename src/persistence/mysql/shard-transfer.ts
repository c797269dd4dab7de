import type { ShardId } from '../../actors/allocator/ids.ts';
import { type ShardEpoch, StoreUnavailable } from '../../actors/runtime/ports.ts';
import { MySqlFault } from '../../mysql/mysql-fault.ts';
import { CommitFault, type MySqlSession } from '../../mysql/session.ts';
import { sqlList, sqlRows } from '../../mysql/sql-values.ts';

/** By shard; absent: nobody has ever had it. */
type Found = ReadonlyMap<ShardId, { readonly epoch: number; readonly owner: string }>;

/**
 * One call of transferShards, over all of its attempts: a compare and set a shard, all of them in one transaction.
 *
 * When the answer of COMMIT was lost, the next attempt looks first at the shards that were in it. The connection of
 * the lost one is ended by then (named-session.ts), so its outcome stands. Those that are the new owner's at the next
 * epoch have been transferred: to leave them out, as what somebody else was faster with, would have their giver go on
 * with shards that are given. Those that are another's at that epoch have not. Where a shard has gone on from there,
 * nobody can tell who made the first step.
 */
export class ShardTransfer {
  readonly #shards: readonly ShardEpoch[];
  readonly #newOwner: string;
  /** In the COMMIT that had no answer. */
  #doubtful: readonly ShardEpoch[] = [];

  constructor(shards: readonly ShardEpoch[], newOwner: string) {
    this.#shards = [...shards].sort((a, b) => a.shardId - b.shardId);
    this.#newOwner = newOwner;
  }

  /** Rejects with StoreUnavailable where the outcome stays unknown. @returns those that were transferred, by shardId. */
  async attempt(session: MySqlSession): Promise<readonly ShardEpoch[]> {
    let matching: readonly ShardEpoch[];
    let landed: readonly ShardEpoch[];
    try {
      await session.change('START TRANSACTION');
      const found = await this.#lock(session);
      landed = this.#landed(found);
      matching = this.#shards.filter(({ shardId, epoch }) => (found.get(shardId)?.epoch ?? 0) === epoch);
      if (matching.length > 0) await this.#write(session, matching);
    } catch (error) {
      await session.rollback();
      throw error;
    }
    await this.#commit(session, matching);
    return [...landed, ...matching]
      .sort((a, b) => a.shardId - b.shardId)
      .map(({ shardId, epoch }) => ({ shardId, epoch: epoch + 1 }));
  }

  /** In the order of their key, as everybody locks them. */
  async #lock(session: MySqlSession): Promise<Found> {
    const ids = sqlList(this.#shards.map(({ shardId }) => shardId));
    const rows = await session.rows<[ShardId, number, string]>(
      `SELECT shard_id, epoch, owner FROM shard FORCE INDEX (PRIMARY) WHERE shard_id IN ${ids}
       ORDER BY shard_id FOR UPDATE`,
    );
    return new Map(rows.map(([shardId, epoch, owner]) => [shardId, { epoch, owner }]));
  }

  #landed(found: Found): readonly ShardEpoch[] {
    return this.#doubtful.filter(({ shardId, epoch }) => {
      const now = found.get(shardId);
      if (now === undefined || now.epoch === epoch) return false;
      if (now.epoch === epoch + 1) return now.owner === this.#newOwner;
      throw new StoreUnavailable(`nobody knows any more whether shard ${shardId} was transferred`);
    });
  }

  async #write(session: MySqlSession, matching: readonly ShardEpoch[]): Promise<void> {
    const known = matching.filter(({ epoch }) => epoch > 0).map(({ shardId }) => shardId);
    const unknown = matching.filter(({ epoch }) => epoch === 0).map(({ shardId }) => shardId);
    if (known.length > 0) {
      await session.change(
        `UPDATE shard FORCE INDEX (PRIMARY) SET epoch = epoch + 1, owner = ?, last_batch = 0
         WHERE shard_id IN ${sqlList(known)}`,
        [this.#newOwner],
      );
    }
    if (unknown.length === 0) return;
    const rows = sqlRows(unknown.map((shardId) => [shardId, 1, this.#newOwner, 0]));
    const insert = `INSERT INTO shard (shard_id, epoch, owner, last_batch) VALUES ${rows}`;
    try {
      await session.raw('INSERT INTO shard …', insert);
    } catch (error) {
      // Where there is no row there is nothing to lock: somebody was faster, and the next attempt sees whom it is.
      const isTaken = error instanceof MySqlFault && error.isConstraint;
      throw isTaken ? new MySqlFault('again', error.message, { cause: error }) : error;
    }
  }

  async #commit(session: MySqlSession, matching: readonly ShardEpoch[]): Promise<void> {
    try {
      await session.commit();
    } catch (error) {
      if (!(error instanceof CommitFault)) throw error;
      const inIt = new Set(matching.map(({ shardId }) => shardId));
      this.#doubtful = [...this.#doubtful.filter(({ shardId }) => !inIt.has(shardId)), ...matching];
      throw new MySqlFault('reconnect', error.message, { cause: error });
    }
  }
}
