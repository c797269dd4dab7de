import type { ScheduleEvent } from '../../actors/allocator/event.ts';
import type { ReservationNumber, ScheduleId } from '../../actors/allocator/ids.ts';
import { decodeEvent } from '../../actors/runtime/event-codec.ts';
import { MySqlFault } from '../../mysql/mysql-fault.ts';
import { CommitFault, type MySqlSession } from '../../mysql/session.ts';
import type { JournalColumns } from '../journal-columns.ts';
import { JournalLag, type LagRow } from '../journal-lag.ts';
import type { ProjectionError } from '../projection-error.ts';
import type { JournalEntry, JournalReader } from './journal-reader.ts';
import { withPatience } from './patience.ts';
import { forgetOldMarks, lockStates, readReservations, writeFolds } from './projection-writer.ts';
import { ScheduleFold } from './schedule-fold.ts';
import type { WritingSession } from './writing-session.ts';

/** Events a transaction: enough that a row's share of the round trips is small, and some 100 ms of work at most. */
const chunkEventsMax = 2_000;

/** Of their payloads, unless one alone has more: the rows of a chunk go in one packet, several times as large. */
const chunkBytesMax = 1024 * 1024;

/** Of a schedule's time, between two looks for marks that are too old. */
const markCheckMs = 60_000;

/** Schedules a transaction: as many rows of schedule_projection are locked. */
const chunkSchedulesMax = 64;

/** A deadlock with another node's projector, or a connection that was ended, is nothing to tell anybody. */
const patienceMs = 1_000;

/** What a chunk made, or tried to make, of one schedule. */
interface Run {
  readonly fold: ScheduleFold;
  /** Before it. */
  readonly fromSeq: number;
  readonly events: number;
}

/** A schedule in a chunk that was refused. */
interface Suspect {
  /** For its next chunk. */
  eventsMax: number;
  /** The refused chunk ended there: past it, nothing speaks against the schedule any more. */
  readonly untilSeq: number;
}

/**
 * Moves the projection of each schedule along its journal, a chunk a call, on a connection of its own. It knows
 * what is behind from the commits of this process, and asks the database at the start.
 *
 * projected_seq moves in the transaction of the rows, and its row is locked before it is read: so a chunk is
 * applied once, also where two processes project the same schedule, as a node does that was fenced and doesn't
 * know it yet. A schedule whose journal a guard refuses is stopped until the next start, and reported; the others
 * go on.
 *
 * The keys of the tables refuse a chunk without saying which event it was. Each schedule of that chunk is then
 * projected alone, and one that is refused alone in chunks of half the size, until the one event is found.
 */
export class Projector {
  readonly #session: WritingSession;
  readonly #journal: JournalReader;
  readonly #report: (error: ProjectionError) => void;
  readonly #lag = new JournalLag();
  readonly #stopped = new Map<ScheduleId, ProjectionError>();
  readonly #suspects = new Map<ScheduleId, Suspect>();
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

  /** The same of those that were asked about; the others stay as they are. */
  setSome(isAsked: (scheduleId: ScheduleId) => boolean, rows: readonly LagRow[]): void {
    this.#lag.resetSome(
      isAsked,
      rows.filter(([scheduleId]) => !this.#stopped.has(scheduleId)),
    );
  }

  /** Follows these schedules no further: they are somebody else's. */
  forget(isGone: (scheduleId: ScheduleId) => boolean): void {
    this.#lag.resetSome(isGone, []);
  }

  get backlogEvents(): number {
    return this.#lag.events;
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
    const [suspect] = this.#suspects;
    const scheduleIds = suspect ? [suspect[0]] : this.#lag.schedules().slice(0, chunkSchedulesMax);
    const eventsMax = suspect?.[1].eventsMax ?? chunkEventsMax;
    if (scheduleIds.length === 0) return;
    let runs: readonly Run[];
    try {
      runs = await this.#session.exclusively(() =>
        withPatience(patienceMs, () => this.#projectOnce(scheduleIds, eventsMax)),
      );
    } catch (error) {
      if (error instanceof EventRefused) return this.#stopAt(error);
      if (error instanceof ChunkRefused) return this.#suspect(error);
      throw error;
    }
    for (const run of runs) this.#noteProjected(run);
    const isStuck = runs.every(({ fold, events }) => events === 0 && this.#isBehind(fold));
    if (isStuck) throw new Error('the journal lacks events that were committed');
  }

  #noteProjected({ fold: { scheduleId, state } }: Run): void {
    this.#lag.noteDone(scheduleId, state.projectedSeq);
    const suspect = this.#suspects.get(scheduleId);
    const isCleared = !this.#lag.of(scheduleId) || state.projectedSeq >= (suspect?.untilSeq ?? 0);
    if (isCleared) this.#suspects.delete(scheduleId);
  }

  #isBehind({ scheduleId, state }: ScheduleFold): boolean {
    const committedSeq = this.#lag.of(scheduleId)?.committedSeq ?? 0;
    return committedSeq > state.projectedSeq;
  }

  async #projectOnce(scheduleIds: readonly ScheduleId[], eventsMax: number): Promise<readonly Run[]> {
    const session = await this.#session.open();
    const runs: Run[] = [];
    try {
      await session.change('START TRANSACTION');
      await this.#fold(session, scheduleIds, eventsMax, runs);
      const moved = runs.filter(({ events }) => events > 0).map(({ fold }) => fold);
      if (moved.length > 0) await writeFolds(session, moved);
      for (const fold of moved) await this.#forgetOldMarks(session, fold);
      await session.commit();
      return runs;
    } catch (error) {
      await session.rollback();
      // It may be there: whoever projects again finds out.
      if (error instanceof CommitFault) throw new MySqlFault('reconnect', error.message, { cause: error });
      // What is not the database's is an event's that could not be written.
      const isDatabases = error instanceof MySqlFault && !error.isConstraint;
      if (isDatabases || error instanceof EventRefused || runs.every(({ events }) => events === 0))
        throw error;
      throw new ChunkRefused(runs, (error as Error).message);
    }
  }

  async #fold(
    session: MySqlSession,
    scheduleIds: readonly ScheduleId[],
    eventsMax: number,
    runs: Run[],
  ): Promise<void> {
    const states = await lockStates(session, scheduleIds);
    let room = eventsMax;
    let roomBytes = chunkBytesMax;
    for (const scheduleId of scheduleIds) {
      if (room === 0 || roomBytes <= 0) break;
      const state = states.get(scheduleId)!;
      const fromSeq = state.projectedSeq;
      const entries: JournalEntry[] = [];
      for (const entry of await this.#journal.read(session, scheduleId, fromSeq, room)) {
        if (roomBytes <= 0) break;
        entries.push(entry);
        roomBytes -= entry.payload.length;
      }
      const events = entries.map((entry, before) =>
        orRefused(scheduleId, entry.seq, before, () => decodeEvent(entry)),
      );
      const stored = await readReservations(session, scheduleId, namedNumbers(events));
      const fold = new ScheduleFold(scheduleId, state, stored);
      for (const [before, event] of events.entries()) {
        // Folding asks the database for nothing: whatever goes wrong is the event's.
        orRefused(scheduleId, event.seq, before, () => fold.apply(event));
      }
      runs.push({ fold, fromSeq, events: events.length });
      room -= events.length;
    }
  }

  async #forgetOldMarks(session: MySqlSession, fold: ScheduleFold): Promise<void> {
    const { scheduleId, state } = fold;
    if (state.lastAtMs < (this.#noOldMarksUntilMs.get(scheduleId) ?? 0)) return;
    const areAllForgotten = await forgetOldMarks(session, fold, 2 * chunkEventsMax);
    if (areAllForgotten) this.#noOldMarksUntilMs.set(scheduleId, state.lastAtMs + markCheckMs);
  }

  /** Not before the events that come before it are projected. */
  #stopAt({ refusal, eventsBefore }: EventRefused): void {
    const { scheduleId, seq } = refusal;
    if (eventsBefore === 0) this.#stop(refusal);
    else this.#suspects.set(scheduleId, { eventsMax: eventsBefore, untilSeq: seq });
  }

  #suspect({ runs, message }: ChunkRefused): void {
    const moved = runs.filter(({ events }) => events > 0);
    const [alone] = moved;
    if (moved.length === 1 && alone!.events === 1) {
      const { fold, fromSeq } = alone!;
      return this.#stop({ scheduleId: fold.scheduleId, seq: fromSeq + 1, message });
    }
    for (const { fold, fromSeq, events } of moved) {
      const eventsMax = moved.length === 1 ? Math.ceil(events / 2) : events;
      this.#suspects.set(fold.scheduleId, { eventsMax, untilSeq: fromSeq + events });
    }
  }

  #stop(refusal: ProjectionError): void {
    this.#suspects.delete(refusal.scheduleId);
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

function orRefused<T>(scheduleId: ScheduleId, seq: number, eventsBefore: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new EventRefused({ scheduleId, seq, message: (error as Error).message }, eventsBefore);
  }
}

/** Takes the refusal out of the transaction, which it rolls back. */
class EventRefused extends Error {
  readonly refusal: ProjectionError;
  /** Of its schedule, in the same chunk. */
  readonly eventsBefore: number;

  constructor(refusal: ProjectionError, eventsBefore: number) {
    super(refusal.message);
    this.refusal = refusal;
    this.eventsBefore = eventsBefore;
  }
}

/** One of the events of these runs is one that the tables don't take. */
class ChunkRefused extends Error {
  readonly runs: readonly Run[];

  constructor(runs: readonly Run[], message: string) {
    super(message);
    this.runs = runs;
  }
}
