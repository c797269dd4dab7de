import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ScheduleEventType } from '../../actors/allocator/event.ts';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import { decodeEvent } from '../../actors/runtime/event-codec.ts';
import { sqliteConstraint, sqliteResultCode } from '../../sqlite/database.ts';
import type { Transactions } from '../../sqlite/transactions.ts';
import { queryRows } from '../../sqlite/typed-rows.ts';
import type { JournalColumns } from './journal-columns.ts';
import { ProjectionTables } from './projection-tables.ts';

/** Events a transaction: 4 ms of work, and that is the longest that a commit waits for the projection. */
export const chunkEventsMax = 256;

/** A schedule whose journal cannot be projected any further: a bug, for people to look at. */
export interface ProjectionError {
  readonly scheduleId: ScheduleId;
  /** The event that was refused. */
  readonly seq: number;
  readonly message: string;
}

interface Lag {
  projectedSeq: number;
  committedSeq: number;
}

type BehindRow = [scheduleId: ScheduleId, projectedSeq: number, committedSeq: number];
type EventRow = [seq: number, atMs: number, type: ScheduleEventType, payload: string];

/**
 * Moves the projection of each schedule along its journal, a chunk a call, on the worker's thread. It knows
 * what is behind without asking the database: the worker is the only writer, and tells it of every commit.
 *
 * projected_seq moves in the transaction of the rows, so a chunk is applied once, whatever happens between.
 * A schedule whose journal a guard refuses is stopped until the next start, and reported; the others go on.
 */
export class Projector {
  readonly #transactions: Transactions;
  readonly #tables: ProjectionTables;
  readonly #readEvents: StatementSync;
  readonly #findBehind: StatementSync;
  readonly #report: (error: ProjectionError) => void;
  /** Schedules that are behind, the one that waited longest first. */
  readonly #behind = new Map<ScheduleId, Lag>();
  readonly #stopped = new Map<ScheduleId, ProjectionError>();
  #backlogEvents = 0;

  constructor(db: DatabaseSync, transactions: Transactions, report: (error: ProjectionError) => void) {
    this.#transactions = transactions;
    this.#tables = new ProjectionTables(db);
    this.#report = report;
    this.#readEvents = db.prepare(
      'SELECT seq, at_ms, type, payload FROM event_log WHERE schedule_id = ? AND seq > ? ORDER BY seq LIMIT ?',
      { returnArrays: true },
    );
    this.#findBehind = db.prepare(
      `WITH RECURSIVE logged (schedule_id) AS (
         SELECT min(schedule_id) FROM event_log
         UNION ALL
         SELECT (SELECT min(e.schedule_id) FROM event_log e WHERE e.schedule_id > logged.schedule_id)
         FROM logged WHERE logged.schedule_id IS NOT NULL
       ), ends AS (
         SELECT schedule_id, (SELECT max(e.seq) FROM event_log e WHERE e.schedule_id = logged.schedule_id) AS seq
         FROM logged WHERE schedule_id IS NOT NULL
       )
       SELECT ends.schedule_id, coalesce(p.projected_seq, 0), ends.seq
       FROM ends LEFT JOIN schedule_projection p USING (schedule_id)
       WHERE ends.seq > coalesce(p.projected_seq, 0)`,
      { returnArrays: true },
    );
    this.findBacklog();
  }

  /**
   * Asks the database what is behind: at the start, and when a lost commit turned out to be there. One
   * look-up a schedule, however long the journal.
   */
  findBacklog(): void {
    this.#behind.clear();
    this.#backlogEvents = 0;
    for (const [scheduleId, projectedSeq, committedSeq] of queryRows<BehindRow>(this.#findBehind)) {
      if (this.#stopped.has(scheduleId)) continue;
      this.#behind.set(scheduleId, { projectedSeq, committedSeq });
      this.#backlogEvents += committedSeq - projectedSeq;
    }
  }

  /** Events that are committed but not projected, without those of stopped schedules. */
  get backlogEvents(): number {
    return this.#backlogEvents;
  }

  schedulesBehind(): ScheduleId[] {
    return [...this.#behind.keys(), ...this.#stopped.keys()];
  }

  /** The first schedule that stopped, if one did. */
  firstError(): ProjectionError | undefined {
    return this.#stopped.values().next().value;
  }

  /** Call after each commit with its rows. */
  noteCommitted({ count, scheduleId, seq }: JournalColumns): void {
    for (let i = 0; i < count; i++) {
      const schedule = scheduleId[i]!;
      const lag = this.#behind.get(schedule);
      if (lag !== undefined) lag.committedSeq = seq[i]!;
      else if (this.#stopped.has(schedule)) continue;
      else this.#behind.set(schedule, { projectedSeq: seq[i]! - 1, committedSeq: seq[i]! });
      this.#backlogEvents += 1;
    }
  }

  /** How far each schedule has to come until all that is committed now is projected. */
  currentTargets(): Map<ScheduleId, number> {
    return new Map(Array.from(this.#behind, ([scheduleId, { committedSeq }]) => [scheduleId, committedSeq]));
  }

  /** Whether a schedule has come as far as `seq`, or will never. */
  isSettled(scheduleId: ScheduleId, seq: number): boolean {
    const lag = this.#behind.get(scheduleId);
    return lag === undefined || lag.projectedSeq >= seq;
  }

  /**
   * Projects at most chunkEventsMax events in one transaction. Throws what the database threw (a full disk,
   * a lock): nothing moved then, and the call may be repeated.
   */
  projectChunk(): void {
    const moved = new Map<ScheduleId, number>();
    try {
      this.#transactions.rebuildable(() => {
        let room = chunkEventsMax;
        for (const scheduleId of this.#behind.keys()) {
          const { projectedSeq, applied } = this.#projectSchedule(scheduleId, room);
          moved.set(scheduleId, projectedSeq);
          room -= applied;
          if (room === 0) break;
        }
      });
    } catch (error) {
      if (!(error instanceof EventRefused)) throw error;
      this.#stop(error.refusal);
      return;
    }
    for (const [scheduleId, projectedSeq] of moved) this.#noteProjected(scheduleId, projectedSeq);
  }

  #projectSchedule(scheduleId: ScheduleId, eventsMax: number): { projectedSeq: number; applied: number } {
    const state = this.#tables.readState(scheduleId);
    const rows = queryRows<EventRow>(this.#readEvents, scheduleId, state.projectedSeq, eventsMax);
    for (const [seq, atMs, type, payload] of rows) {
      try {
        this.#tables.apply(scheduleId, state, decodeEvent({ seq, atMs, type, payload }));
      } catch (error) {
        if (isTheDatabases(error)) throw error;
        throw new EventRefused({ scheduleId, seq, message: (error as Error).message });
      }
    }
    this.#tables.forgetOldMarks(scheduleId, state, 2 * chunkEventsMax);
    this.#tables.writeState(scheduleId, state);
    return { projectedSeq: state.projectedSeq, applied: rows.length };
  }

  /** A schedule that is still behind goes to the end of the line. */
  #noteProjected(scheduleId: ScheduleId, projectedSeq: number): void {
    const lag = this.#behind.get(scheduleId)!;
    this.#backlogEvents -= projectedSeq - lag.projectedSeq;
    lag.projectedSeq = projectedSeq;
    this.#behind.delete(scheduleId);
    if (projectedSeq < lag.committedSeq) this.#behind.set(scheduleId, lag);
  }

  #stop(refusal: ProjectionError): void {
    const { projectedSeq, committedSeq } = this.#behind.get(refusal.scheduleId)!;
    this.#behind.delete(refusal.scheduleId);
    this.#backlogEvents -= committedSeq - projectedSeq;
    this.#stopped.set(refusal.scheduleId, refusal);
    this.#report(refusal);
  }
}

/** Takes the refusal out of the transaction, which it rolls back. */
class EventRefused extends Error {
  readonly refusal: ProjectionError;

  constructor(refusal: ProjectionError) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** A full disk, a lock …: not the event's fault, and it may go well the next time. */
function isTheDatabases(error: unknown): boolean {
  const code = sqliteResultCode(error);
  return code !== undefined && code !== sqliteConstraint;
}
