import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { UserId } from '../../actors/allocator/ids.ts';
import type { EntryPage, EntryQuery } from '../../actors/runtime/ledger.ts';
import { queryRow, queryRows } from '../../sqlite/typed-rows.ts';
import { type EntryRow, entryColumns, entryPage } from '../entry-page.ts';

/** PointsReader on its tables: one indexed query a call. */
export class PointsRows {
  readonly #balance: StatementSync;
  readonly #entries: StatementSync;

  constructor(db: DatabaseSync) {
    this.#balance = db.prepare('SELECT balance FROM point_account WHERE user_id = ?', { returnArrays: true });
    this.#entries = db.prepare(
      `SELECT ${entryColumns} FROM point_entry
       WHERE user_id = ? AND entry_id < ? ORDER BY entry_id DESC LIMIT ?`,
      { returnArrays: true },
    );
  }

  balanceOf(userId: UserId): number {
    return queryRow<[number]>(this.#balance, userId)?.[0] ?? 0;
  }

  listEntries({ userId, limit, beforeEntryId }: EntryQuery): EntryPage {
    const before = beforeEntryId ?? Number.MAX_SAFE_INTEGER;
    return entryPage(queryRows<EntryRow>(this.#entries, userId, before, limit + 1), limit);
  }
}
