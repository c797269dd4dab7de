import { assert } from '../../actors/allocator/assert.ts';
import type { UserId } from '../../actors/allocator/ids.ts';
import { MySqlFault } from '../../mysql/mysql-fault.ts';
import { idleSecondsMax, type MySqlSession } from '../../mysql/session.ts';
import { BatchRefused } from '../book.ts';
import type { BookChanges } from '../book-rows.ts';
import { decideBatch } from '../decide-batch.ts';
import type { LedgerOperation, OperationResult } from '../operation.ts';
import type { PaymentRow } from '../payment-columns.ts';
import { type BatchKeys, batchKeys } from './batch-keys.ts';
import { lockStatements } from './lock-statements.ts';
import { type AccountRow, LockedRows, type MarkRow } from './locked-rows.ts';
import { withStoredEntryIds } from './provisional-entry-ids.ts';
import { makeAccounts, writeStatements } from './write-statements.ts';

/**
 * The book in MySQL, a batch at a time on a connection of its lane. A batch costs two round trips: one begins
 * the transaction, locks what the batch names and reads it; the other writes and commits.
 *
 * No batch is half done, and no two of them wait for each other in a ring, however many lanes and nodes there are:
 * - Accounts are locked first, in the order of users, then payments and marks in theirs (batch-keys.ts). After the
 *   first trip a batch waits for no row of anybody's.
 * - Every account is there before a batch locks it. An INSERT of one in the middle of a batch would come out of
 *   its order, and one that is taken back leaves those who wait for it a gap that they then fight for.
 * - Everything that two batches could fight for belongs to a user, and is changed by who holds that account. So a
 *   CANCELLED payment and its late S1, from two nodes that know nothing of each other, come one after the other,
 *   and the second finds the first; so do two charges with one key.
 *
 * The server ends a transaction whose process stops between the two trips (a SIGSTOP, a machine that hangs) after
 * `heldSecondsMax`, because meanwhile nobody else can pay for the users in it.
 */
export class MySqlBook {
  readonly #session: MySqlSession;

  /** @param session with multiple statements, by itself on bookSessionSetup. */
  constructor(session: MySqlSession) {
    this.#session = session;
  }

  /**
   * As LedgerBook. Rejects with BatchRefused, or with MySqlFault: then the batch was carried out or not. The
   * session is in step after that, or closed.
   */
  async apply(operations: readonly LedgerOperation[]): Promise<readonly OperationResult[]> {
    try {
      return await this.#apply(operations);
    } catch (error) {
      await this.#rollBack();
      // A key or CHECK of the schema held what the rules let through.
      if (error instanceof MySqlFault && error.isConstraint) {
        throw new BatchRefused(error.message, { cause: error });
      }
      throw error;
    }
  }

  async #apply(operations: readonly LedgerOperation[]): Promise<readonly OperationResult[]> {
    const keys = batchKeys(operations);
    let held = await this.#hold(keys, begin);
    if (held.missing.length > 0) {
      held = await this.#hold(keys, ['ROLLBACK', makeAccounts(held.missing), ...begin]);
      assert(held.missing.length === 0, 'an account that was made is there');
    }
    const { results, changes } = decideBatch(operations, held.rows);
    return withStoredEntryIds(results, await this.#write(changes, held.oldMarks));
  }

  async #hold(keys: BatchKeys, before: readonly string[]): Promise<Held> {
    const { accounts, payments, marks, oldMarks } = lockStatements(keys);
    const locks = [accounts, payments, marks, oldMarks].filter((statement) => statement !== undefined);
    const answers = await this.#run('ledger: lock and read a batch', [...before, ...locks]);
    const rowsOf = <Row>(statement: string | undefined): Row[] =>
      statement === undefined ? [] : (answers[before.length + locks.indexOf(statement)] as Row[]);
    const accountRows = rowsOf<AccountRow>(accounts);
    const found = new Set(accountRows.map(([userId]) => userId));
    return {
      rows: new LockedRows(accountRows, rowsOf<PaymentRow>(payments), rowsOf<MarkRow>(marks)),
      oldMarks: rowsOf<[string]>(oldMarks).map(([name]) => name),
      missing: keys.userIds.filter((userId) => !found.has(userId)),
    };
  }

  /** @returns the number of the first entry; any number when there is none. */
  async #write(changes: BookChanges, oldMarks: readonly string[]): Promise<number> {
    const statements = writeStatements(changes, oldMarks);
    const answers = await this.#run('ledger: write and commit a batch', [...statements, ...commit]);
    return changes.entries.length === 0 ? 0 : (answers[0] as { insertId: number }).insertId;
  }

  /** Several of them in one trip. One that fails is the last that the server looks at. */
  async #run(name: string, statements: readonly string[]): Promise<readonly unknown[]> {
    return (await this.#session.raw(name, statements.join(';\n'))) as readonly unknown[];
  }

  async #rollBack(): Promise<void> {
    if (!this.#session.isOpen) return;
    await this.#run('ledger: roll a batch back', rollback).catch(() => this.#session.destroy());
  }
}

interface Held {
  readonly rows: LockedRows;
  readonly oldMarks: readonly string[];
  /** Users who have no account. */
  readonly missing: readonly UserId[];
}

/**
 * Seconds for which a batch holds its rows while its process says nothing: less than innodb_lock_wait_timeout
 * (session.ts), so that who waits for one that has stopped does not fail even once.
 */
const heldSecondsMax = 1;

/**
 * What the session of a book is told once. Numbers of a multi-row INSERT follow each other by ones. What the
 * server begins to read from us or to write to us is not held up for longer than a batch may be either.
 */
export const bookSessionSetup = `SET SESSION auto_increment_increment = 1,
  SESSION net_read_timeout = ${heldSecondsMax}, SESSION net_write_timeout = ${heldSecondsMax}`;

const begin = [`SET SESSION wait_timeout = ${heldSecondsMax}`, 'START TRANSACTION'];
const rest = `SET SESSION wait_timeout = ${idleSecondsMax}`;
const commit = ['COMMIT', rest];
const rollback = ['ROLLBACK', rest];
