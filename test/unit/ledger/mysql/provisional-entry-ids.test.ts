import { describe, expect, it } from 'vitest';
import { decideBatch } from '../../../../src/ledger/decide-batch.ts';
import { MemoryBook } from '../../../../src/ledger/memory/memory-book.ts';
import { emptyMemoryLedgerData } from '../../../../src/ledger/memory/memory-ledger-data.ts';
import {
  entryIdBeforeProvisional,
  placeInBatch,
  withStoredEntryIds,
} from '../../../../src/ledger/mysql/provisional-entry-ids.ts';
import type { LedgerOperation } from '../../../../src/ledger/operation.ts';
import { pointsCharge, pointsOrder } from '../../../contract/ledger-orders.ts';

describe('numbers of entries that are not stored yet', () => {
  it('tell their place in the batch, and are no number of a stored one', () => {
    expect([1, 2, 500].map((nth) => placeInBatch(entryIdBeforeProvisional + nth))).toEqual([0, 1, 499]);
    expect([1, 2, Number.MAX_SAFE_INTEGER].map(placeInBatch)).toEqual([undefined, undefined, undefined]);
  });

  it('become those that were given, in answers to what the batch itself has done before as well', () => {
    const book = new MemoryBook(emptyMemoryLedgerData());
    const charge = (key: string): LedgerOperation => ({
      kind: 'charge',
      charge: pointsCharge('ann', 1, key, 1000),
    });
    book.apply([charge('stored')]);
    book.lastEntryId = () => entryIdBeforeProvisional;
    const { results } = decideBatch(
      [
        charge('a'),
        charge('stored'),
        { kind: 'pay-by-points', order: pointsOrder(1, 'ann', 1), atMs: 1000 },
        charge('b'),
        charge('a'),
        { kind: 'charge', charge: pointsCharge('ann', 2, 'a', 1000) },
      ],
      book,
    );
    expect(withStoredEntryIds(results, 70)).toEqual([
      { kind: 'charged', entryId: 70, balance: 2, replayed: false },
      { kind: 'charged', entryId: 1, balance: 1, replayed: true },
      { paymentId: '7-1-10', status: 'APPROVED', createdAtMs: 1000, balance: 1 },
      { kind: 'charged', entryId: 72, balance: 2, replayed: false },
      { kind: 'charged', entryId: 70, balance: 2, replayed: true },
      { kind: 'key-reused' },
    ]);
  });
});
