import type { IdempotencyMark, ScheduleEventType } from '../allocator/event.ts';
import type {
  IdempotencyKey,
  PerformanceId,
  ReservationNumber,
  ScheduleId,
  ShardId,
  UserId,
  VenueId,
} from '../allocator/ids.ts';
import type { OpenPayment } from '../allocator/open-payment.ts';
import type { ReservationStatus } from '../allocator/reservation.ts';
import type { VenueLayout } from '../allocator/venue-layout.ts';
import type { CreationMark, Performance, Schedule, VenueSummary } from './catalog.ts';

/**
 * Everything the runtime needs from outside. Adapters live in persistence/; test/contract runs one suite
 * against each of them.
 */

export interface TimerHandle {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch, an integer. May jump; the actor never lets its own time go back. */
  nowMs(): number;
  /** Milliseconds with fractions from any origin, never going back: for durations only. */
  monotonicMs(): number;
  /** Runs `task` once, not before `delayMs` have passed. Does not keep the process alive. */
  setTimer(delayMs: number, task: () => void): TimerHandle;
  /** Runs `task` after the input that is already waiting has been read: the moment to send a batch. */
  defer(task: () => void): void;
}

export interface IdSource {
  /** A name for this run of the process, never used before. */
  instanceId(): string;
}

/** The store cannot be used now. Nothing of the call took effect. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable';
}

/** The connection was lost between COMMIT and its answer: the batch is durable or it is not. */
export class CommitOutcomeUnknown extends Error {
  override name = 'CommitOutcomeUnknown';
}

export interface ShardEpoch {
  readonly shardId: ShardId;
  readonly epoch: number;
}

/** A shard as the store has it. `owner` is the instance that claimed it, or was given it, last. */
export interface ShardRecord extends ShardEpoch {
  readonly owner: string;
}

/** One event, as it is stored. */
export interface JournalRow {
  readonly scheduleId: ScheduleId;
  readonly shardId: ShardId;
  /** Gapless from 1 per schedule. */
  readonly seq: number;
  readonly atMs: number;
  readonly type: ScheduleEventType;
  /** JSON of the event without seq, atMs and type (event-codec.ts). */
  readonly payload: string;
}

export interface JournalBatch {
  /** The node's own number: rises with every new batch; the same batch keeps it when it is sent again. */
  readonly batchNumber: number;
  /** Every shard that has a row in `rows`, once, with the epoch under which its owner decided. */
  readonly shards: readonly ShardEpoch[];
  /** In the order of decision: per schedule by seq. */
  readonly rows: readonly JournalRow[];
}

/**
 * The projected part of a schedule, in columns: 1,000,000 rows cross a thread boundary, and columns do that
 * several times faster than objects. Row i of a group is element i of each of its columns.
 */
export interface ProjectionImage {
  /** Everything up to and including this seq is in the image; 0 = nothing yet. */
  readonly projectedSeq: number;
  /** Time of that event; 0 when there is none. */
  readonly lastAtMs: number;
  /** Number of the newest reservation; 0 = none yet. Numbers are never used again. */
  readonly lastReservationNumber: number;
  readonly blockedSeats: Int32Array;
  /**
   * Live reservations, ended ones whose payment is not over, and ended ones not older than `endedSinceMs` of
   * the call; by number.
   */
  readonly reservations: ReservationColumns;
  /** Payments that are not over, by reservation number: few at any time. */
  readonly openPayments: readonly StoredOpenPayment[];
  /** Marks not older than `markedSinceMs` of the call, by seq. */
  readonly marks: MarkColumns;
}

export interface ReservationColumns {
  readonly count: number;
  readonly number: Float64Array;
  readonly userId: readonly string[];
  /** Index into reservationStatuses. */
  readonly status: Uint8Array;
  readonly seatCount: Uint8Array;
  /** Ordinals of all reservations, one reservation after the other. */
  readonly seats: Int32Array;
  readonly totalMinor: Float64Array;
  readonly heldAtMs: Float64Array;
  readonly expiresAtMs: Float64Array;
  readonly endedAtMs: Float64Array;
  readonly seq: Float64Array;
  /** seq of the payment that is under way or was made; 0 = none. */
  readonly paymentSeq: Float64Array;
  /** 0 unless PAID. */
  readonly paidAtMs: Float64Array;
}

export interface StoredOpenPayment extends OpenPayment {
  readonly number: ReservationNumber;
}

/** Remembered requests (I8): which event answered which key. */
export interface MarkColumns {
  readonly count: number;
  readonly seq: Float64Array;
  readonly atMs: Float64Array;
  readonly userId: readonly string[];
  readonly key: readonly string[];
  readonly fingerprint: Float64Array;
  readonly number: Float64Array;
  /** Index into memoKinds. */
  readonly kind: Uint8Array;
  readonly expiresAtMs: Float64Array;
}

export interface StoredSchedule {
  readonly image: ProjectionImage;
  /** The journal after image.projectedSeq, by seq. */
  readonly tail: readonly JournalRow[];
}

/**
 * The store of one node: fencing, journal and the projections behind it.
 *
 * Every call ends within the adapter's time limit and either resolves, or rejects with StoreUnavailable
 * (nothing took effect) or, for commit only, CommitOutcomeUnknown.
 */
export interface ShardStore {
  /**
   * Takes the shards for `owner`: epoch + 1, last_batch = 0, whoever had them before (I3). In issue order:
   * the returned epochs are newer than any that was ever handed out for these shards.
   */
  claimShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]>;

  /**
   * Raises the epochs of those of the shards that `owner` still has, which shuts out what it sent under the
   * old ones; the others are left out of the answer. A node that is not sure what became of its commits, or
   * of its epochs, asks this and never claims: a shard that somebody else has by now stays with them (I3).
   */
  renewShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]>;

  /** Every shard that was ever claimed, as of one moment; by shardId. What it says of others may be over at once. */
  listShards(): Promise<readonly ShardRecord[]>;

  /**
   * Compare and set: those of the shards that are still at the epoch that is named (0: never claimed) become
   * `newOwner`'s, with epoch + 1 and last_batch = 0; the others stay as they are and are left out of the answer
   * (I3). Of unknown outcome it rejects with StoreUnavailable: whoever must know lists or renews the shards.
   *
   * given: by the owner itself, which has nothing in flight and goes on living.
   * taken: from an owner that is believed dead. It may be frozen in the middle of a transaction, so its
   * connections are ended first, and its rows are not waited for.
   */
  transferShards(
    shards: readonly ShardEpoch[],
    newOwner: string,
    how: 'given' | 'taken',
  ): Promise<readonly ShardEpoch[]>;

  /**
   * These shards are this process's from now on, though somebody else has transferred them: what lies behind in
   * their journal is now its to project and to publish.
   */
  followShards(shardIds: readonly ShardId[]): Promise<void>;

  /**
   * The fenced batch, one transaction: for each shard `last_batch := batchNumber` where the epoch is the
   * batch's and last_batch < batchNumber; unless every shard matched, nothing is written and the answer is
   * 'fenced'. 'committed' means on disk.
   */
  commit(batch: JournalBatch): Promise<'committed' | 'fenced'>;

  /**
   * Settles a CommitOutcomeUnknown: raises the epochs (which waits for the lost transaction and shuts it
   * out), keeps last_batch and reads it. 'fenced' when a shard has another owner or epoch by now.
   */
  resolveCommit(batch: JournalBatch): Promise<CommitResolution>;

  /** Reads a schedule for recovery, from one consistent view. */
  loadSchedule(
    scheduleId: ScheduleId,
    since: { readonly endedSinceMs: number; readonly markedSinceMs: number },
  ): Promise<StoredSchedule>;

  /** The journal of a schedule after `afterSeq`, by seq: what a state that was loaded before has missed. */
  loadTail(scheduleId: ScheduleId, afterSeq: number): Promise<readonly JournalRow[]>;

  /** Schedules that need their owner now: a hold or a payment that is open, or events not yet projected. */
  schedulesWithOpenWork(): Promise<readonly ScheduleId[]>;

  /** Resolves when everything that was committed before the call is projected. */
  projectAll(): Promise<void>;

  /** Releases files and connections; calls that are under way finish first. */
  close(): Promise<void>;
}

export type CommitResolution =
  | { readonly outcome: 'committed'; readonly shards: readonly ShardEpoch[] }
  | { readonly outcome: 'not-committed'; readonly shards: readonly ShardEpoch[] }
  | { readonly outcome: 'fenced' };

/** Answers to people's queries, from projections: each is one indexed query. May lag behind the journal. */
interface ReservationQueries {
  /** A user's own, newest first. */
  listReservations(query: ReservationQuery): Promise<ReservationPage>;
  /** One reservation that its actor no longer keeps; undefined when there is none. */
  findReservation(scheduleId: ScheduleId, number: ReservationNumber): Promise<StoredReservation | undefined>;
}

export interface ReservationQuery {
  readonly userId: UserId;
  readonly status?: ReservationStatus;
  readonly scheduleId?: ScheduleId;
  readonly limit: number;
  /** Where the page before ended: only rows after it in the order (heldAtMs, scheduleId, number), descending. */
  readonly after?: {
    readonly heldAtMs: number;
    readonly scheduleId: ScheduleId;
    readonly number: ReservationNumber;
  };
}

export interface ReservationPage {
  readonly reservations: readonly StoredReservation[];
  readonly hasMore: boolean;
  /** projectedSeq of the schedule that was asked for; absent when none was. */
  readonly asOfSeq?: number;
}

export interface StoredReservation {
  readonly scheduleId: ScheduleId;
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly status: ReservationStatus;
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly heldAtMs: number;
  readonly expiresAtMs: number;
  /** 0 while it is live. */
  readonly endedAtMs: number;
  readonly seq: number;
  /** As in ReservationColumns. */
  readonly paymentSeq: number;
  readonly paidAtMs: number;
}

/**
 * Venues, performances and schedules. Ids are 1, 2, 3 … in order of creation. A mark is kept in the same
 * transaction; one whose key is there already fails the creation.
 */
export interface CatalogStore {
  createVenue(layout: Omit<VenueLayout, 'venueId'>, mark?: IdempotencyMark): Promise<VenueId>;
  createPerformance(
    performance: Omit<Performance, 'performanceId'>,
    mark?: IdempotencyMark,
  ): Promise<PerformanceId>;
  createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): Promise<ScheduleId>;
  listCreationMarks(): Promise<readonly CreationMark[]>;
  /** What the key has made, by whichever node. */
  findCreationMark(key: IdempotencyKey): Promise<CreationMark | undefined>;
  /** By id, those after `afterId` (0: all). An id that is listed has no smaller one that is still to come. */
  listVenues(afterId: number): Promise<readonly VenueSummary[]>;
  loadVenue(venueId: VenueId): Promise<VenueLayout | undefined>;
  /** As listVenues. */
  listPerformances(afterId: number): Promise<readonly Performance[]>;
  /** As listVenues, with the number of free seats as last projected (capacity when nothing was sold yet). */
  listSchedules(afterId: number): Promise<readonly (Schedule & { readonly available: number })[]>;
}

export type Store = ShardStore & ReservationQueries & CatalogStore;
