import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ScheduleEventType } from '../../actors/allocator/event.ts';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import { decodeEvent } from '../../actors/runtime/event-codec.ts';
import { sqliteConstraint, sqliteResultCode } from '../../sqlite/database.ts';
import type { Transactions } from '../../sqlite/transactions.ts';
import { queryRows } from '../../sqlite/typed-rows.ts';
import type { JournalColumns } from '../journal-columns.ts';
import { JournalLag, type LagRow } from '../journal-lag.ts';
import type { ProjectionError } from '../projection-error.ts';
import { behindSql } from './behind-sql.ts';
import { ProjectionTables } from './projection-tables.ts';

/** Events a transaction: 4 ms of work, and that is the longest that a commit waits for the projection. */
export const chunkEventsMax = 256;

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
  readonly #lag = new JournalLag();
  readonly #stopped = new Map<ScheduleId, ProjectionError>();

  constructor(db: DatabaseSync, transactions: Transactions, report: (error: ProjectionError) => void) {
    this.#transactions = transactions;
    this.#tables = new ProjectionTables(db);
    this.#report = report;
    this.#readEvents = db.prepare(
      'SELECT seq, at_ms, type, payload FROM event_log WHERE schedule_id = ? AND seq > ? ORDER BY seq LIMIT ?',
      { returnArrays: true },
    );
    this.#findBehind = db.prepare(behindSql('projected_seq'), { returnArrays: true });
    this.findBacklog();
  }

  /**
   * Asks the database what is behind: at the start, and when a lost commit turned out to be there. One
   * look-up a schedule, however long the journal.
   */
  findBacklog(): void {
    this.#lag.reset(
      queryRows<LagRow>(this.#findBehind).filter(([scheduleId]) => !this.#stopped.has(scheduleId)),
    );
  }

  /** Events that are committed but not projected, without those of stopped schedules. */
  get backlogEvents(): number {
    return this.#lag.events;
  }

  schedulesBehind(): ScheduleId[] {
    return [...this.#lag.schedules(), ...this.#stopped.keys()];
  }

  /** The first schedule that stopped, if one did. */
  firstError(): ProjectionError | undefined {
    return this.#stopped.values().next().value;
  }

  /** Call after each commit with its rows. */
  noteCommitted({ count, scheduleId, seq }: JournalColumns): void {
    for (let i = 0; i < count; i++) {
      if (!this.#stopped.has(scheduleId[i]!)) this.#lag.noteCommitted(scheduleId[i]!, seq[i]!);
    }
  }

  /** How far each schedule has to come until all that is committed now is projected. */
  currentTargets(): Map<ScheduleId, number> {
    return this.#lag.targets();
  }

  /** Whether a schedule has come as far as `seq`, or will never. */
  isSettled(scheduleId: ScheduleId, seq: number): boolean {
    return this.#lag.isReached(scheduleId, seq);
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
        for (const scheduleId of this.#lag.schedules()) {
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
    for (const [scheduleId, projectedSeq] of moved) this.#lag.noteDone(scheduleId, projectedSeq);
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

  #stop(refusal: ProjectionError): void {
    this.#lag.drop(refusal.scheduleId);
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
