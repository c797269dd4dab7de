import type { ScheduleId, ShardId } from '../actors/allocator/ids.ts';
import type { ShardEpoch } from '../actors/runtime/ports.ts';
import type { SealedSchedule } from '../actors/runtime/shard-host.ts';
import type { PeerFailure } from './peers.ts';

/**
 * What nodes ask of each other about shards, by method of PeerService. The store decides what becomes of a shard:
 * an order that comes late, twice, or from a coordinator that is none any more does no harm.
 */

/** Giver → taker. */
export interface PreloadOrder {
  readonly scheduleIds: readonly ScheduleId[];
}

/** Giver → taker: the store has the shard under the taker's name and this epoch. */
export interface ActivateOrder {
  readonly shardId: ShardId;
  readonly epoch: number;
  readonly sealed: readonly SealedSchedule[];
}

/** Coordinator → whoever is to have the shards: their owners, under these epochs, are gone. Epoch 0: there was none. */
export interface ClaimOrder {
  readonly shards: readonly ShardEpoch[];
}

/** Coordinator → giver. */
export interface MoveOrder {
  readonly moveId: number;
  readonly shardId: ShardId;
  readonly toInstanceId: string;
}

export interface OrderResult {
  readonly isDone: boolean;
  /** Why not, for people. */
  readonly detail: string;
}

export const done: OrderResult = { isDone: true, detail: '' };
export const failed = (detail: string): OrderResult => ({ isDone: false, detail });

/** For people. */
export const failureWords: Readonly<Record<PeerFailure, string>> = {
  'not-sent': 'it can’t be reached',
  'no-answer': 'it has not answered in time',
};

/** What a node of another version answers may be nothing that this one knows. */
export function readOrderResult(answer: unknown): OrderResult {
  const { isDone, detail } = (answer ?? {}) as { readonly isDone?: unknown; readonly detail?: unknown };
  if (typeof isDone !== 'boolean') return failed('the answer is none that this version knows');
  return { isDone, detail: typeof detail === 'string' ? detail : '' };
}
