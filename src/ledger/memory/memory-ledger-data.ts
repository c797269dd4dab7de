import type { PaymentId, UserId } from '../../actors/allocator/ids.ts';
import type { StoredEntry, StoredMark, StoredPayment } from '../book-rows.ts';

/** What would be on disk: it outlives the books that write it, and so a crash in a simulation. */
export interface MemoryLedgerData {
  readonly balances: Map<UserId, number>;
  /** By user, each in the order of entryId. */
  readonly entries: Map<UserId, StoredEntry[]>;
  entryCount: number;
  readonly payments: Map<PaymentId, StoredPayment>;
  /** By markName, oldest first. */
  readonly marks: Map<string, StoredMark>;
}

export const emptyMemoryLedgerData = (): MemoryLedgerData => ({
  balances: new Map(),
  entries: new Map(),
  entryCount: 0,
  payments: new Map(),
  marks: new Map(),
});
