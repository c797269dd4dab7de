import type { ShardId } from '../actors/allocator/ids.ts';

/** What the cluster tells whoever watches it. Must be cheap and never throw. */
export interface ClusterObserver {
  /** Calls answered by another node. */
  onForwarded(
    method: string,
    result: 'answered' | 'not-sent' | 'no-answer' | 'not-owner',
    durationMs: number,
  ): void;
  /** A call that waited for its shard to have an owner. */
  onParked(result: 'waits' | 'routed' | 'expired' | 'full', waitedMs: number): void;
  /** Given away, as seen by the giver; `blockedMs`: how long calls of the shard waited. */
  onMove(outcome: 'done' | 'failed' | 'taken-back', blockedMs: number): void;
  /** Shards taken from owners that are gone. */
  onClaim(shards: number, owners: readonly string[]): void;
  /** A shard that was served here is somebody else's, though nobody asked for it. */
  onLost(shardIds: readonly ShardId[]): void;
  /** Something broke and was contained. */
  onFault(fault: string, error: unknown): void;
}
