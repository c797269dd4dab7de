import type { ReservationNumber, ScheduleId } from '../actors/allocator/ids.ts';
import { type EntryPage, entryKinds } from '../actors/runtime/ledger.ts';

/** The order of EntryRow. */
export const entryColumns = 'entry_id, kind, amount, balance_after, schedule_id, number, at_ms';

export type EntryRow = [
  entryId: number,
  kind: number,
  amount: number,
  balanceAfter: number,
  scheduleId: ScheduleId | null,
  number: ReservationNumber | null,
  atMs: number,
];

/** @param rows newest first; one more than `limit`, where there are so many. */
export function entryPage(rows: readonly EntryRow[], limit: number): EntryPage {
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
