import type { IdempotencyKey, PaymentId, UserId } from '../../actors/allocator/ids.ts';
import { markName } from '../batch.ts';
import type { LedgerBook } from '../book.ts';
import type { BookChanges, BookRows, StoredMark, StoredPayment } from '../book-rows.ts';
import { decideBatch } from '../decide-batch.ts';
import type { LedgerOperation, OperationResult } from '../operation.ts';
import type { MemoryLedgerData } from './memory-ledger-data.ts';

/** The book of a simulation: the rules of the real one, and a "disk" that never fails. */
export class MemoryBook implements LedgerBook, BookRows {
  readonly #data: MemoryLedgerData;

  constructor(data: MemoryLedgerData) {
    this.#data = data;
  }

  apply(operations: readonly LedgerOperation[]): readonly OperationResult[] {
    const { results, changes } = decideBatch(operations, this);
    this.#write(changes);
    return results;
  }

  balanceOf(userId: UserId): number {
    return this.#data.balances.get(userId) ?? 0;
  }

  findPayment(paymentId: PaymentId): StoredPayment | undefined {
    return this.#data.payments.get(paymentId);
  }

  findMark(userId: UserId, key: IdempotencyKey): StoredMark | undefined {
    return this.#data.marks.get(markName(userId, key));
  }

  lastEntryId(): number {
    return this.#data.entryCount;
  }

  #write(changes: BookChanges): void {
    const { balances, entries, payments, marks } = this.#data;
    for (const [userId, balance] of changes.balances) balances.set(userId, balance);
    for (const entry of changes.entries) {
      const own = entries.get(entry.userId);
      if (own === undefined) entries.set(entry.userId, [entry]);
      else own.push(entry);
    }
    this.#data.entryCount += changes.entries.length;
    for (const payment of changes.newPayments) payments.set(payment.paymentId, payment);
    for (const payment of changes.changedPayments) payments.set(payment.paymentId, payment);
    for (const [name, mark] of marks) {
      if (mark.atMs >= changes.marksOfUseSinceMs) break;
      marks.delete(name);
    }
    for (const mark of changes.marks) {
      const name = markName(mark.userId, mark.key);
      marks.delete(name);
      marks.set(name, mark);
    }
  }
}
