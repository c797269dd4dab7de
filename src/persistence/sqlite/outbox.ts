import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { JournalTrim, JournalTrimmed, SchedulePosition } from '../../actors/runtime/event-outbox.ts';
import type { Transactions } from '../../sqlite/transactions.ts';
import { queryRow, queryRows } from '../../sqlite/typed-rows.ts';
import { type TailRow, tailColumns } from '../image-columns.ts';
import { appendColumns, type JournalColumns, toJournalColumns } from '../journal-columns.ts';
import { JournalLag, type LagRow } from '../journal-lag.ts';
import type { OutboxColumns } from '../worker/store-procedures.ts';
import { behindSql } from './behind-sql.ts';

/**
 * EventOutbox on usher.db. published_seq stands in the schedule's row of schedule_projection, which it makes
 * where the projector has not yet been: one with projected_seq 0 says what no row says.
 */
export class Outbox {
  readonly #transactions: Transactions;
  readonly #findBehind: StatementSync;
  readonly #readEvents: StatementSync;
  readonly #markPublished: StatementSync;
  readonly #nextSchedule: StatementSync;
  readonly #positions: StatementSync;
  readonly #lastOld: StatementSync;
  readonly #deleteUpTo: StatementSync;
  readonly #lag = new JournalLag();

  constructor(db: DatabaseSync, transactions: Transactions) {
    this.#transactions = transactions;
    const prepare = (sql: string) => db.prepare(sql, { returnArrays: true });
    this.#findBehind = prepare(behindSql('published_seq'));
    this.#readEvents = prepare(
      `SELECT seq, shard_id, at_ms, type, payload FROM event_log
       WHERE schedule_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
    );
    this.#markPublished = prepare(
      `INSERT INTO schedule_projection (schedule_id, projected_seq, published_seq, last_at_ms,
         last_reservation_number, taken_seats, open_reservations)
       VALUES (?, 0, ?, 0, 0, 0, 0)
       ON CONFLICT (schedule_id) DO UPDATE SET published_seq = max(published_seq, excluded.published_seq)`,
    );
    this.#nextSchedule = prepare('SELECT min(schedule_id) FROM event_log WHERE schedule_id > ?');
    this.#positions = prepare(
      'SELECT projected_seq, published_seq FROM schedule_projection WHERE schedule_id = ?',
    );
    this.#lastOld = prepare(
      `SELECT max(seq) FROM
         (SELECT seq, at_ms FROM event_log WHERE schedule_id = ? AND seq <= ? ORDER BY seq LIMIT ?)
       WHERE at_ms < ?`,
    );
    this.#deleteUpTo = prepare('DELETE FROM event_log WHERE schedule_id = ? AND seq <= ?');
    this.findBacklog();
  }

  /** As Projector.findBacklog. */
  findBacklog(): void {
    this.#lag.reset(queryRows<LagRow>(this.#findBehind));
  }

  get backlogEvents(): number {
    return this.#lag.events;
  }

  /** Call after each commit with its rows. */
  noteCommitted(rows: JournalColumns): void {
    this.#lag.noteBatch(rows);
  }

  readUnpublished(eventsMax: number): OutboxColumns {
    const rows = toJournalColumns([]);
    for (const scheduleId of this.#lag.schedules()) {
      const room = eventsMax - rows.count;
      if (room === 0) break;
      const after = this.#lag.of(scheduleId)!.doneSeq;
      appendColumns(
        rows,
        tailColumns(scheduleId, queryRows<TailRow>(this.#readEvents, scheduleId, after, room)),
      );
    }
    return { rows, backlogEvents: this.#lag.events };
  }

  markPublished(positions: readonly SchedulePosition[]): void {
    this.#transactions.durable(() => {
      for (const { scheduleId, seq } of positions) this.#markPublished.run(scheduleId, seq);
    });
    for (const { scheduleId, seq } of positions) this.#lag.noteDone(scheduleId, seq);
  }

  trimJournal({ afterScheduleId, beforeMs, rowsMax, isPublishing }: JournalTrim): JournalTrimmed {
    const [scheduleId] = queryRow<[ScheduleId | null]>(this.#nextSchedule, afterScheduleId)!;
    if (scheduleId === null) return { scheduleId: undefined, deleted: 0 };
    const [projectedSeq, publishedSeq] = queryRow<[number, number]>(this.#positions, scheduleId) ?? [0, 0];
    const keptFrom = isPublishing ? Math.min(projectedSeq, publishedSeq) : projectedSeq;
    const [lastSeq] = queryRow<[number | null]>(this.#lastOld, scheduleId, keptFrom, rowsMax, beforeMs)!;
    if (lastSeq === null) return { scheduleId, deleted: 0 };
    const deleted = this.#transactions.rebuildable(() => {
      if (!isPublishing) this.#markPublished.run(scheduleId, lastSeq);
      return Number(this.#deleteUpTo.run(scheduleId, lastSeq).changes);
    });
    this.#lag.noteDone(scheduleId, lastSeq);
    return { scheduleId, deleted };
  }
}
