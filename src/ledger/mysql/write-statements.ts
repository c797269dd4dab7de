import { assert } from '../../actors/allocator/assert.ts';
import { entryKinds } from '../../actors/runtime/ledger.ts';
import { type SqlValue, sqlList, sqlRows, sqlValue } from '../../mysql/sql-values.ts';
import { markName } from '../batch.ts';
import type { BookChanges, StoredEntry, StoredMark, StoredPayment } from '../book-rows.ts';
import { paymentColumns, toPaymentRow } from '../payment-columns.ts';
import { placeInBatch } from './provisional-entry-ids.ts';

/**
 * What a batch changes, a statement a table. The entries come first, if there are any: the server gives them
 * their numbers, one after the other, and tells the first one.
 *
 * A statement that fails ends the text that it stands in, so a COMMIT behind them is of all or of none.
 *
 * @param oldMarks names of marks that the batch holds and that may be forgotten.
 */
export function writeStatements(changes: BookChanges, oldMarks: readonly string[]): readonly string[] {
  const { entries, newPayments, changedPayments, marks, marksOfUseSinceMs } = changes;
  const statements: string[] = [];
  if (entries.length > 0) statements.push(addEntries(entries), moveBalances(entries));
  if (marks.length > 0) statements.push(putMarks(marks));
  if (newPayments.length > 0) statements.push(addPayments(newPayments));
  if (changedPayments.length > 0) statements.push(`${addPayments(changedPayments)} ${changeInstead}`);
  if (oldMarks.length > 0) statements.push(forgetMarks(oldMarks, marksOfUseSinceMs));
  return statements;
}

const addEntries = (entries: readonly StoredEntry[]): string =>
  `INSERT INTO point_entry (user_id, kind, amount, balance_after, payment_id, schedule_id, number, at_ms)
   VALUES ${sqlRows(entries.map(entryRow))}`;

const entryRow = ({ userId, kind, amount, balanceAfter, order, atMs }: StoredEntry): SqlValue[] => [
  userId,
  entryKinds.indexOf(kind),
  amount,
  balanceAfter,
  order?.paymentId ?? null,
  order?.scheduleId ?? null,
  order?.number ?? null,
  atMs,
];

/**
 * By what the entries say, from what is stored, and never below 0, which the table's CHECK refuses: I4 holds even
 * if the batch was decided on balances that are not those of now.
 */
function moveBalances(entries: readonly StoredEntry[]): string {
  const moved = new Map<string, number>();
  for (const { userId, amount } of entries) moved.set(userId, (moved.get(userId) ?? 0) + amount);
  const rows = Array.from(moved, ([userId, amount]) => [userId, 0, amount]);
  return `INSERT INTO point_account (user_id, balance, moved) VALUES ${sqlRows(rows)}
   ON DUPLICATE KEY UPDATE balance = balance + VALUES(moved), moved = VALUES(moved)`;
}

/** Their entries have got their numbers in the statement before: LAST_INSERT_ID() is the first of them. */
const putMarks = (marks: readonly StoredMark[]): string =>
  `INSERT INTO charge_mark (name, fingerprint, entry_id, balance_after, at_ms)
   VALUES ${marks.map(markRow).join(',')}
   ON DUPLICATE KEY UPDATE fingerprint = VALUES(fingerprint), entry_id = VALUES(entry_id),
     balance_after = VALUES(balance_after), at_ms = VALUES(at_ms)`;

function markRow({ userId, key, fingerprint, entryId, balanceAfter, atMs }: StoredMark): string {
  const place = placeInBatch(entryId);
  assert(place !== undefined, 'a mark that is new is of a charge of its batch');
  const name = sqlValue(markName(userId, key));
  return `(${name},${fingerprint},LAST_INSERT_ID()+${place},${balanceAfter},${atMs})`;
}

const addPayments = (payments: readonly StoredPayment[]): string =>
  `INSERT INTO payment (${paymentColumns}) VALUES ${sqlRows(payments.map(toPaymentRow))}`;

/** Of a payment that is there, what may change. */
const changeInstead = `ON DUPLICATE KEY UPDATE status = VALUES(status), decline_code = VALUES(decline_code),
     card_token = VALUES(card_token), reference = VALUES(reference), refund_reference = VALUES(refund_reference),
     is_taken_over = VALUES(is_taken_over), settled_at_ms = VALUES(settled_at_ms),
     refunded_at_ms = VALUES(refunded_at_ms)`;

/**
 * By their primary key alone: another way to them would pass, and wait for, marks of others. The time again: one of
 * them may have been renewed by this batch.
 */
export const forgetMarks = (names: readonly string[], marksOfUseSinceMs: number): string =>
  `DELETE charge_mark FROM charge_mark FORCE INDEX (PRIMARY)
   WHERE name IN ${sqlList(names)} AND at_ms < ${marksOfUseSinceMs}`;

/** Makes accounts with a balance of 0; one that is there stays as it is. @param userIds in their order. */
export const makeAccounts = (userIds: readonly string[]): string =>
  `INSERT INTO point_account (user_id, balance) VALUES ${sqlRows(userIds.map((userId) => [userId, 0]))}
   ON DUPLICATE KEY UPDATE moved = moved`;
