import type { LedgerOperation, OperationResult } from './operation.ts';

/**
 * Accounts, entries and payments, and what is done to them. Synchronous: it runs in a worker thread, or in a
 * simulation.
 */
export interface LedgerBook {
  /**
   * Carries all of the operations out in one durable transaction, or none, in their order. Result i answers
   * operation i. A book whose database locks rows and not the file locks the accounts first, in the order of
   * users, so that two lanes never wait for each other in a ring.
   *
   * The same operations may be applied again, in part as well: each takes effect once.
   *
   * Throws BatchRefused, or whatever broke underneath; after that they may have been applied or not.
   */
  apply(operations: readonly LedgerOperation[]): readonly OperationResult[];
}

/**
 * One of the operations contradicts what is stored: a bug in Usher, and no further attempt goes better.
 * Nothing took effect.
 */
export class BatchRefused extends Error {
  override name = 'BatchRefused';
}
