import type { ScheduleId } from '../actors/allocator/ids.ts';
import type { JournalColumns } from './journal-columns.ts';

/** Something that follows the journal of a schedule: how far it has come, and how far it has to come. */
interface Lag {
  doneSeq: number;
  committedSeq: number;
}

export type LagRow = readonly [scheduleId: ScheduleId, doneSeq: number, committedSeq: number];

/**
 * Which schedules are behind their journal, and by how much: kept beside the commits, so that whoever follows the
 * journal need not ask the database what is new. The schedule that waited longest comes first.
 */
export class JournalLag {
  readonly #behind = new Map<ScheduleId, Lag>();
  #events = 0;

  /** Events that are committed and not yet done, over all schedules. */
  get events(): number {
    return this.#events;
  }

  get size(): number {
    return this.#behind.size;
  }

  schedules(): ScheduleId[] {
    return [...this.#behind.keys()];
  }

  of(scheduleId: ScheduleId): Readonly<Lag> | undefined {
    return this.#behind.get(scheduleId);
  }

  /** What a database says, in place of what was known. */
  reset(rows: Iterable<LagRow>): void {
    this.#behind.clear();
    this.#events = 0;
    for (const [scheduleId, doneSeq, committedSeq] of rows) {
      this.#behind.set(scheduleId, { doneSeq, committedSeq });
      this.#events += committedSeq - doneSeq;
    }
  }

  /** The same for the schedules that were asked about: those of them that the database does not name are not behind. */
  resetSome(isAsked: (scheduleId: ScheduleId) => boolean, rows: Iterable<LagRow>): void {
    for (const scheduleId of this.schedules()) if (isAsked(scheduleId)) this.drop(scheduleId);
    for (const [scheduleId, doneSeq, committedSeq] of rows) {
      this.drop(scheduleId);
      this.#behind.set(scheduleId, { doneSeq, committedSeq });
      this.#events += committedSeq - doneSeq;
    }
  }

  /** One more event is committed: the next one of its schedule. */
  noteCommitted(scheduleId: ScheduleId, seq: number): void {
    const lag = this.#behind.get(scheduleId);
    if (lag !== undefined) lag.committedSeq = seq;
    else this.#behind.set(scheduleId, { doneSeq: seq - 1, committedSeq: seq });
    this.#events += 1;
  }

  noteBatch({ count, scheduleId, seq }: JournalColumns): void {
    for (let i = 0; i < count; i++) this.noteCommitted(scheduleId[i]!, seq[i]!);
  }

  /**
   * A schedule that is still behind goes to the end of the line, even one that has come no further: so whoever
   * cannot go on with one gets on with the others.
   */
  noteDone(scheduleId: ScheduleId, seq: number): void {
    const lag = this.#behind.get(scheduleId);
    if (lag === undefined) return;
    const doneSeq = Math.max(lag.doneSeq, Math.min(seq, lag.committedSeq));
    this.#events -= doneSeq - lag.doneSeq;
    lag.doneSeq = doneSeq;
    this.#behind.delete(scheduleId);
    if (doneSeq < lag.committedSeq) this.#behind.set(scheduleId, lag);
  }

  /** Follows this schedule no further. */
  drop(scheduleId: ScheduleId): void {
    const lag = this.#behind.get(scheduleId);
    if (lag === undefined) return;
    this.#events -= lag.committedSeq - lag.doneSeq;
    this.#behind.delete(scheduleId);
  }

  /** How far each schedule has to come until all that is committed now is done. */
  targets(): Map<ScheduleId, number> {
    return new Map(Array.from(this.#behind, ([scheduleId, { committedSeq }]) => [scheduleId, committedSeq]));
  }

  /** Whether a schedule has come as far as `seq`, or is not followed. */
  isReached(scheduleId: ScheduleId, seq: number): boolean {
    const lag = this.#behind.get(scheduleId);
    return lag === undefined || lag.doneSeq >= seq;
  }
}
