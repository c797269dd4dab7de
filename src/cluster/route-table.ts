import type { ShardId } from '../actors/allocator/ids.ts';
import type { ShardRecord } from '../actors/runtime/ports.ts';

/**
 * Who owns which shard, as far as this node has heard. Only for finding the owner: what it says is checked by the
 * owner itself, and what the owner commits by the store.
 */
export class RouteTable {
  readonly #owners = new Map<ShardId, ShardRecord>();

  ownerOf(shardId: ShardId): ShardRecord | undefined {
    return this.#owners.get(shardId);
  }

  /** Shards whose owner is known. */
  get size(): number {
    return this.#owners.size;
  }

  /**
   * Hearsay: from the registry, or from another node. Of a shard the highest epoch counts.
   * @returns the shards that have another owner than before.
   */
  hear(records: readonly ShardRecord[]): readonly ShardId[] {
    return this.#set(records.filter(({ shardId, epoch }) => epoch > (this.#owners.get(shardId)?.epoch ?? 0)));
  }

  /**
   * What the store says, which minted the epochs: it takes the place of anything heard, even of a higher epoch that
   * somebody made up. @returns as `hear`.
   */
  read(records: readonly ShardRecord[]): readonly ShardId[] {
    return this.#set(records);
  }

  #set(records: readonly ShardRecord[]): readonly ShardId[] {
    const changed: ShardId[] = [];
    for (const record of records) {
      if (this.#owners.get(record.shardId)?.owner !== record.owner) changed.push(record.shardId);
      this.#owners.set(record.shardId, record);
    }
    return changed;
  }
}
