import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ReservationNumber, ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import { type EntryPage, type EntryQuery, entryKinds } from '../../actors/runtime/ledger.ts';
import { queryRow, queryRows } from '../../sqlite/typed-rows.ts';

type EntryRow = [
  entryId: number,
  kind: number,
  amount: number,
  balanceAfter: number,
  scheduleId: ScheduleId | null,
  number: ReservationNumber | null,
  atMs: number,
];

/** PointsReader on its tables: one indexed query a call. */
export class PointsRows {
  readonly #balance: StatementSync;
  readonly #entries: StatementSync;

  constructor(db: DatabaseSync) {
    this.#balance = db.prepare('SELECT balance FROM point_account WHERE user_id = ?', { returnArrays: true });
    this.#entries = db.prepare(
      `SELECT entry_id, kind, amount, balance_after, schedule_id, number, at_ms
       FROM point_entry WHERE user_id = ? AND entry_id < ? ORDER BY entry_id DESC LIMIT ?`,
      { returnArrays: true },
    );
  }

  balanceOf(userId: UserId): number {
    return queryRow<[number]>(this.#balance, userId)?.[0] ?? 0;
  }

  listEntries({ userId, limit, beforeEntryId }: EntryQuery): EntryPage {
    const before = beforeEntryId ?? Number.MAX_SAFE_INTEGER;
    const rows = queryRows<EntryRow>(this.#entries, userId, before, limit + 1);
    const entries = rows
      .slice(0, limit)
      .map(([entryId, kind, amount, balanceAfter, scheduleId, number, atMs]) => ({
        entryId,
        kind: entryKinds[kind]!,
        amount,
        balanceAfter,
        ...(scheduleId !== null && number !== null && { reservation: { scheduleId, number } }),
        atMs,
      }));
    return { entries, hasMore: rows.length > limit };
  }
}
