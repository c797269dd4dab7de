/** The ledger's rules in a worker thread, without a database: what is left of a payment when SQL is taken away. */
import type { UserId } from '../src/actors/allocator/ids.ts';
import { MemoryBook } from '../src/ledger/memory/memory-book.ts';
import { emptyMemoryLedgerData } from '../src/ledger/memory/memory-ledger-data.ts';
import type { LedgerOperation, OperationResult } from '../src/ledger/operation.ts';

let data = emptyMemoryLedgerData();
let book = new MemoryBook(data);

/** Empties the book: every payment is kept, and a bench makes many. */
export function begin(users: number): void {
  data = emptyMemoryLedgerData();
  book = new MemoryBook(data);
  for (let user = 0; user < users; user++) data.balances.set(`user-${user}` as UserId, 1_000_000);
}

export const apply = (operations: readonly LedgerOperation[]): readonly OperationResult[] =>
  book.apply(operations);
