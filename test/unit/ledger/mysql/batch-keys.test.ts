import { describe, expect, it } from 'vitest';
import { batchKeys } from '../../../../src/ledger/mysql/batch-keys.ts';
import type { LedgerOperation } from '../../../../src/ledger/operation.ts';
import { cardOrder, pointsCharge, pointsOrder } from '../../../contract/ledger-orders.ts';

const hourMs = 60 * 60 * 1000;

describe('the keys of a batch', () => {
  const charge = (payer: string, key: string, atMs: number): LedgerOperation => ({
    kind: 'charge',
    charge: pointsCharge(payer, 1, key, atMs),
  });
  const pay = (number: number, payer: string): LedgerOperation => ({
    kind: 'pay-by-points',
    order: pointsOrder(number, payer, 1),
    atMs: 0,
  });

  it('come each once and in the order of bytes, whatever the order of the operations', () => {
    const keys = batchKeys([
      pay(3, 'zoe'),
      charge('bob', 'k2', 99 * hourMs),
      { kind: 'open-card', order: cardOrder(10, 'Zoe', 1), atMs: 0 },
      charge('ann', 'k9', 90 * hourMs),
      { kind: 'refund', order: pointsOrder(3, 'zoe', 1), reference: undefined, atMs: 0 },
      charge('bob', 'k2', 95 * hourMs),
    ]);
    expect(keys).toEqual({
      userIds: ['Zoe', 'ann', 'bob', 'zoe'],
      paymentIds: ['7-10-100', '7-3-30'],
      markNames: ['ann k9', 'bob k2'],
      forgottenMarksMax: 4,
      // A day and an hour before the oldest charge.
      marksOfUseSinceMs: 65 * hourMs,
    });
  });

  it('of payments alone are of no marks, and forget none', () => {
    expect(batchKeys([pay(1, 'ann')])).toMatchObject({ markNames: [], forgottenMarksMax: 0 });
  });
});
