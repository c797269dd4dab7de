import type { ScheduleId, ShardId } from '../allocator/ids.ts';
import type { SeatChange } from '../allocator/seat-change.ts';
import type { AvailabilityView } from './availability-view.ts';
import type { ShardEpoch } from './ports.ts';

/**
 * The shards of a node, as the cluster sees them: it brings them and takes them away while they sell. directory.ts
 * implements it. Whether the store agrees is the cluster's to know before it calls (I3).
 */
export interface ShardHost {
  /** Served now, under these epochs; sealed ones among them. */
  servedShards(): readonly ShardEpoch[];

  /** Whether calls of the shard are decided here, or wait here while it is sealed. */
  serves(shardId: ShardId): boolean;

  /** Served until the store said that they are somebody else's; until they are released. */
  lostShards(): readonly ShardId[];

  /** Schedules of the shard that are in memory here. All that have a hold or a payment open are. */
  awakeSchedules(shardId: ShardId): readonly ScheduleId[];

  /**
   * Loads schedules whose shard is still somebody else's, as they are now, so that `serve` has only the rest to
   * load. What is not served within a minute is forgotten. Rejects with StoreUnavailable.
   */
  preload(scheduleIds: readonly ScheduleId[]): Promise<void>;

  /**
   * Decides nothing more for the shard: what comes waits. Resolves when all that was decided is on disk and no
   * caller waits for a payment: who does is told after a moment that the payment goes on. Rejects when something
   * was lost meanwhile; the shard is unsealed then.
   */
  seal(shardId: ShardId): Promise<readonly SealedSchedule[]>;

  /** Goes on as before. @param raised where the shard's epoch has risen meanwhile. */
  unseal(shardId: ShardId, raised?: { readonly epoch: number; readonly knownAtMs: number }): void;

  /** Forgets a shard that is somebody else's by now; what waits is answered `shard-moving`. */
  release(shardId: ShardId): void;

  /**
   * Serves shards that the store has given to this node under these epochs; `knownAtMs`, by the monotonic clock, is
   * when the store was asked that has said so. `sealed`: what their giver had in
   * memory, which is loaded and compared before this resolves; without it, what has open work is woken by what the
   * store says, and calls are answered as their schedules recover.
   * Rejects with StoreUnavailable: nothing of them is served then.
   */
  serve(shards: readonly ShardEpoch[], knownAtMs: number, sealed?: readonly SealedSchedule[]): Promise<void>;

  /**
   * The free seats of a schedule and every change of them, each when it is on disk: `onStart` once, then `onChange`
   * in seq order, `onEnd` once when this node no longer knows. @returns ends it; nothing is called after that.
   */
  watchSeats(scheduleId: ScheduleId, watcher: SeatWatcher): () => void;
}

/** A schedule at its giver's, sealed: everything up to `seq` is on disk. */
export interface SealedSchedule {
  readonly scheduleId: ScheduleId;
  readonly seq: number;
  /** fingerprintOf (state-fingerprint.ts) of the giver's state. */
  readonly fingerprint: number;
}

export interface SeatWatcher {
  onStart(view: AvailabilityView): void;
  onChange(change: SeatChange): void;
  onEnd(): void;
}
