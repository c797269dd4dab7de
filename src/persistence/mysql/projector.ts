import type { ScheduleEvent } from '../../actors/allocator/event.ts';
import type { ReservationNumber, ScheduleId } from '../../actors/allocator/ids.ts';
import { decodeEvent } from '../../actors/runtime/event-codec.ts';
import { MySqlFault } from '../../mysql/mysql-fault.ts';
import { CommitFault, type MySqlSession } from '../../mysql/session.ts';
import type { JournalColumns } from '../journal-columns.ts';
import { JournalLag, type LagRow } from '../journal-lag.ts';
import type { ProjectionError } from '../projection-error.ts';
import { ProjectionGuardTripped } from '../projection-guard.ts';
import type { JournalReader } from './journal-reader.ts';
import { forgetOldMarks, lockStates, readReservations, writeFolds } from './projection-writer.ts';
import { ScheduleFold } from './schedule-fold.ts';
import type { WritingSession } from './writing-session.ts';

/** Events a transaction: enough that a row's share of the round trips is small, and some 100 ms of work at most. */
export const chunkEventsMax = 2_000;

/** Of a schedule's time, between two looks for marks that are too old. */
const markCheckMs = 60_000;

/** Schedules a transaction: as many rows of schedule_projection are locked. */
const chunkSchedulesMax = 64;

/**
 * Moves the projection of each schedule along its journal, a chunk a call, on a connection of its own. It knows
 * what is behind from the commits of this process, and asks the database at the start.
 *
 * projected_seq moves in the transaction of the rows, and its row is locked before it is read: so a chunk is
 * applied once, also where two processes project the same schedule, as a node does that was fenced and doesn't
 * know it yet. A schedule whose journal a guard refuses is stopped until the next start, and reported; the others
 * go on.
 */
export class Projector {
  readonly #session: WritingSession;
  readonly #journal: JournalReader;
  readonly #report: (error: ProjectionError) => void;
  readonly #lag = new JournalLag();
  readonly #stopped = new Map<ScheduleId, ProjectionError>();
  /** After a refusal by the tables, which does not name its event: so many events are projected one at a time. */
  #searchEvents = 0;
  /** Until when, in a schedule's own time, it has no mark that is too old. */
  readonly #noOldMarksUntilMs = new Map<ScheduleId, number>();

  constructor(session: WritingSession, journal: JournalReader, report: (error: ProjectionError) => void) {
    this.#session = session;
    this.#journal = journal;
    this.#report = report;
  }

  /** What the database says is behind, of schedules that this process owns. */
  setBacklog(rows: readonly LagRow[]): void {
    this.#lag.reset(rows.filter(([scheduleId]) => !this.#stopped.has(scheduleId)));
  }

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

  currentTargets(): Map<ScheduleId, number> {
    return this.#lag.targets();
  }

  /** Whether a schedule has come as far as `seq`, or will never. */
  isSettled(scheduleId: ScheduleId, seq: number): boolean {
    return this.#lag.isReached(scheduleId, seq);
  }

  /**
   * Projects at most chunkEventsMax events in one transaction. Rejects with what the database failed with: nothing
   * moved then, or all of it did, and the call may be repeated.
   */
  async projectChunk(): Promise<void> {
    const isSearching = this.#searchEvents > 0;
    const scheduleIds = this.#lag.schedules().slice(0, isSearching ? 1 : chunkSchedulesMax);
    if (scheduleIds.length === 0) return;
    let hasMoved = false;
    try {
      const moved = await this.#session.exclusively(() => this.#projectIn(scheduleIds));
      for (const [scheduleId, projectedSeq] of moved) {
        hasMoved ||= projectedSeq > (this.#lag.of(scheduleId)?.doneSeq ?? 0);
        this.#lag.noteDone(scheduleId, projectedSeq);
      }
      this.#searchEvents = Math.max(0, this.#searchEvents - 1);
    } catch (error) {
      if (error instanceof EventRefused) return this.#stop(error.refusal);
      const isTables = error instanceof MySqlFault && error.isConstraint;
      if (!(error instanceof ProjectionGuardTripped) && !isTables) throw error;
      if (isSearching) {
        const scheduleId = scheduleIds[0]!;
        const seq = this.#lag.of(scheduleId)!.doneSeq + 1;
        return this.#stop({ scheduleId, seq, message: error.message });
      }
      this.#searchEvents = chunkEventsMax;
      return;
    }
    if (!hasMoved) throw new Error('the journal lacks events that were committed');
  }

  async #projectIn(scheduleIds: readonly ScheduleId[]): Promise<Map<ScheduleId, number>> {
    const session = await this.#session.open();
    try {
      await session.change('START TRANSACTION');
      const folds = await this.#fold(session, scheduleIds);
      if (folds.some(({ applied }) => applied > 0)) {
        await writeFolds(
          session,
          folds.map(({ fold }) => fold),
        );
        for (const { fold } of folds) await this.#forgetOldMarks(session, fold);
      }
      await session.commit();
      return new Map(folds.map(({ fold }) => [fold.scheduleId, fold.state.projectedSeq]));
    } catch (error) {
      await session.rollback();
      throw error instanceof CommitFault ? new Error(error.message, { cause: error }) : error;
    }
  }

  async #fold(
    session: MySqlSession,
    scheduleIds: readonly ScheduleId[],
  ): Promise<{ fold: ScheduleFold; applied: number }[]> {
    const states = await lockStates(session, scheduleIds);
    const folds: { fold: ScheduleFold; applied: number }[] = [];
    let room = this.#searchEvents > 0 ? 1 : chunkEventsMax;
    for (const scheduleId of scheduleIds) {
      if (room === 0) break;
      const state = states.get(scheduleId)!;
      const events = await this.#journal.read(session, scheduleId, state.projectedSeq, room);
      const decoded = events.map(decodeEvent);
      const stored = await readReservations(session, scheduleId, namedNumbers(decoded));
      const fold = new ScheduleFold(scheduleId, state, stored);
      for (const event of decoded) applyOrRefuse(fold, event);
      folds.push({ fold, applied: events.length });
      room -= events.length;
    }
    return folds;
  }

  async #forgetOldMarks(session: MySqlSession, fold: ScheduleFold): Promise<void> {
    const { scheduleId, state } = fold;
    if (state.lastAtMs < (this.#noOldMarksUntilMs.get(scheduleId) ?? 0)) return;
    const areAllForgotten = await forgetOldMarks(session, fold, 2 * chunkEventsMax);
    if (areAllForgotten) this.#noOldMarksUntilMs.set(scheduleId, state.lastAtMs + markCheckMs);
  }

  #stop(refusal: ProjectionError): void {
    this.#searchEvents = 0;
    this.#lag.drop(refusal.scheduleId);
    this.#stopped.set(refusal.scheduleId, refusal);
    this.#report(refusal);
  }
}

/** Reservations that the events name and do not open. */
function namedNumbers(events: readonly ScheduleEvent[]): ReservationNumber[] {
  const opened = new Set<ReservationNumber>();
  const named = new Set<ReservationNumber>();
  for (const event of events) {
    if (event.type === 'held') opened.add(event.number);
    else if ('number' in event && !opened.has(event.number)) named.add(event.number);
  }
  return [...named];
}

function applyOrRefuse(fold: ScheduleFold, event: ScheduleEvent): void {
  try {
    fold.apply(event);
  } catch (error) {
    if (!(error instanceof ProjectionGuardTripped)) throw error;
    throw new EventRefused({ scheduleId: fold.scheduleId, seq: event.seq, message: error.message });
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
