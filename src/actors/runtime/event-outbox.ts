import type { ScheduleId } from '../allocator/ids.ts';
import type { JournalRow } from './ports.ts';

/**
 * The journal as outbox: what was committed and is not yet published. `published_seq` of a schedule lives in the
 * store, so publishing goes on where the last process that is gone has left it, and repeats what was not yet
 * marked: at least once, in seq order (I7). For schedules of this node's shards; rejects with StoreUnavailable.
 */
export interface EventOutbox {
  /**
   * Events to publish next: of each schedule a gapless run that begins after its published seq, the schedule that
   * waited longest first. The same ones again until they are marked. Empty when nothing waits; with 0 it only
   * tells the backlog.
   */
  readUnpublished(eventsMax: number): Promise<OutboxChunk>;

  /**
   * Durable when it resolves. A position never goes back. A schedule that is still behind goes to the end of the
   * line, even one that is marked where it was: so whoever cannot go on with one gets on with the others.
   */
  markPublished(positions: readonly SchedulePosition[]): Promise<void>;

  /**
   * Deletes rows of one schedule's journal from its front, at most `rowsMax`: those that are older than `beforeMs`
   * and projected, and published as well unless nobody publishes. The schedule is the first one after
   * `afterScheduleId` that has a row; none: the answer names none.
   */
  trimJournal(trim: JournalTrim): Promise<JournalTrimmed>;
}

export interface OutboxChunk {
  readonly rows: readonly JournalRow[];
  /** Committed and not yet published, these rows included. */
  readonly backlogEvents: number;
}

export interface SchedulePosition {
  readonly scheduleId: ScheduleId;
  readonly seq: number;
}

export interface JournalTrim {
  /** 0 begins a round. */
  readonly afterScheduleId: number;
  readonly beforeMs: number;
  readonly rowsMax: number;
  /** False: rows go unpublished, and count as published from then on. */
  readonly isPublishing: boolean;
}

export interface JournalTrimmed {
  readonly scheduleId: ScheduleId | undefined;
  readonly deleted: number;
}
