import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { JournalTrim, JournalTrimmed, SchedulePosition } from '../../actors/runtime/event-outbox.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import { sqlRows } from '../../mysql/sql-values.ts';
import { type JournalColumns, toJournalColumns } from '../journal-columns.ts';
import { JournalLag, type LagRow } from '../journal-lag.ts';
import type { OutboxColumns } from '../worker/store-procedures.ts';
import type { JournalReader } from './journal-reader.ts';

/** EventOutbox in MySQL; published_seq has a table of its own. The caller gives a session for each call. */
export class Outbox {
  readonly #journal: JournalReader;
  readonly #lag = new JournalLag();
  /** What was published while the database was asked, which it may not have counted. */
  #meanwhile: Map<ScheduleId, number> | undefined;

  constructor(journal: JournalReader) {
    this.#journal = journal;
  }

  /** The database is about to be asked for the next setBacklog or setSome. */
  expectBacklog(): void {
    this.#meanwhile = new Map();
  }

  /** As Projector.setBacklog. */
  setBacklog(rows: readonly LagRow[]): void {
    this.#lag.reset(rows);
    this.#addPublished();
  }

  /** As Projector.setSome. */
  setSome(isAsked: (scheduleId: ScheduleId) => boolean, rows: readonly LagRow[]): void {
    this.#lag.resetSome(isAsked, rows);
    this.#addPublished();
  }

  /** Follows these schedules no further: they are somebody else's. */
  forget(isGone: (scheduleId: ScheduleId) => boolean): void {
    this.#lag.resetSome(isGone, []);
  }

  #addPublished(): void {
    for (const [scheduleId, seq] of this.#meanwhile ?? []) this.#lag.noteDone(scheduleId, seq);
    this.#meanwhile = undefined;
  }

  get backlogEvents(): number {
    return this.#lag.events;
  }

  /** Call after each commit with its rows. */
  noteCommitted(rows: JournalColumns): void {
    this.#lag.noteBatch(rows);
  }

  async readUnpublished(session: MySqlSession, eventsMax: number): Promise<OutboxColumns> {
    const rows = toJournalColumns([]);
    for (const scheduleId of this.#lag.schedules()) {
      const room = eventsMax - rows.count;
      if (room === 0) break;
      const after = this.#lag.of(scheduleId)?.doneSeq;
      if (after === undefined) continue; // trimmed while we waited
      for (const entry of await this.#journal.read(session, scheduleId, after, room)) {
        rows.scheduleId.push(scheduleId);
        rows.seq.push(entry.seq);
        rows.shardId.push(entry.shardId);
        rows.atMs.push(entry.atMs);
        rows.type.push(entry.type);
        rows.payload.push(entry.payload);
        rows.count += 1;
      }
    }
    return { rows, backlogEvents: this.#lag.events };
  }

  /** One statement, so one transaction, in the order of the schedules. */
  async markPublished(session: MySqlSession, positions: readonly SchedulePosition[]): Promise<void> {
    if (positions.length === 0) return;
    const rows = [...positions]
      .sort((a, b) => a.scheduleId - b.scheduleId)
      .map(({ scheduleId, seq }) => [scheduleId, seq]);
    await session.raw(markStatement, markSql(rows));
    for (const { scheduleId, seq } of positions) this.#noteDone(scheduleId, seq);
  }

  async trimJournal(session: MySqlSession, trim: JournalTrim): Promise<JournalTrimmed> {
    const { afterScheduleId, beforeMs, rowsMax, isPublishing } = trim;
    const [next] = await session.rows<[ScheduleId]>(trimSql.nextSchedule, [afterScheduleId]);
    if (next === undefined) return { scheduleId: undefined, deleted: 0 };
    const [scheduleId] = next;
    const [projected] = await session.rows<[number]>(trimSql.projected, [scheduleId]);
    const [published] = await session.rows<[number]>(trimSql.published, [scheduleId]);
    const projectedSeq = projected?.[0] ?? 0;
    const freeUpTo = isPublishing ? Math.min(projectedSeq, published?.[0] ?? 0) : projectedSeq;
    const front = await session.rows<[seq: number, atMs: number]>(trimSql.front, [
      scheduleId,
      freeUpTo,
      rowsMax,
    ]);
    const last = front.filter(([, atMs]) => atMs < beforeMs).at(-1);
    if (last === undefined) return { scheduleId, deleted: 0 };
    if (!isPublishing) await session.raw(markStatement, markSql([[scheduleId, last[0]]]));
    const { affectedRows } = await session.change(trimSql.delete, [scheduleId, last[0]]);
    this.#noteDone(scheduleId, last[0]);
    return { scheduleId, deleted: affectedRows };
  }

  #noteDone(scheduleId: ScheduleId, seq: number): void {
    this.#lag.noteDone(scheduleId, seq);
    const before = this.#meanwhile?.get(scheduleId) ?? 0;
    this.#meanwhile?.set(scheduleId, Math.max(before, seq));
  }
}

const markStatement = 'INSERT INTO schedule_publication … ON DUPLICATE KEY UPDATE';

/** A position never goes back. */
const markSql = (rows: readonly number[][]): string =>
  `INSERT INTO schedule_publication (schedule_id, published_seq) VALUES ${sqlRows(rows)}
   ON DUPLICATE KEY UPDATE published_seq = GREATEST(published_seq, VALUES(published_seq))`;

const trimSql = {
  nextSchedule: 'SELECT schedule_id FROM event_log WHERE schedule_id > ? ORDER BY schedule_id, seq LIMIT 1',
  projected: 'SELECT projected_seq FROM schedule_projection WHERE schedule_id = ?',
  published: 'SELECT published_seq FROM schedule_publication WHERE schedule_id = ?',
  front: 'SELECT seq, at_ms FROM event_log WHERE schedule_id = ? AND seq <= ? ORDER BY seq LIMIT ?',
  delete: 'DELETE FROM event_log WHERE schedule_id = ? AND seq <= ?',
} as const;
