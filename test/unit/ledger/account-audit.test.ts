import { describe, expect, it } from 'vitest';
import type { PaymentId } from '../../../src/actors/allocator/ids.ts';
import {
  type AccountUnderAudit,
  accountFault,
  type EntryUnderAudit,
  type PaymentUnderAudit,
} from '../../../src/ledger/account-audit.ts';
import { user } from '../../contract/ledger-orders.ts';

const payment = (change: Partial<PaymentUnderAudit> = {}): PaymentUnderAudit => ({
  paymentId: '7-1-10' as PaymentId,
  userId: user('ann'),
  method: 'points',
  status: 'REFUNDED',
  amountMinor: 200,
  ...change,
});

const entry = (entryId: number, amount: number, balanceAfter: number, of = payment()): EntryUnderAudit => ({
  entryId,
  kind: amount < 0 ? 'payment' : 'refund',
  amount,
  balanceAfter,
  paymentId: of.paymentId,
  payment: of,
});

const charge = (entryId: number, amount: number, balanceAfter: number): EntryUnderAudit => ({
  entryId,
  kind: 'charge',
  amount,
  balanceAfter,
  paymentId: undefined,
  payment: undefined,
});

const sound: AccountUnderAudit = {
  userId: user('ann'),
  balance: 500,
  entries: [charge(1, 500, 500), entry(2, -200, 300), entry(3, 200, 500)],
  payments: [payment()],
};

const approved = payment({ status: 'APPROVED' });
const [first, debit, refund] = sound.entries as [EntryUnderAudit, EntryUnderAudit, EntryUnderAudit];

describe('an account', () => {
  it.each<[string, Partial<AccountUnderAudit>]>([
    ['with a payment and its refund', {}],
    ['of nothing', { balance: 0, entries: [], payments: [] }],
    [
      'with a payment of nothing',
      { payments: [payment(), payment({ paymentId: '7-2-20' as PaymentId, amountMinor: 0 })] },
    ],
    [
      'with a payment that was declined',
      { payments: [payment(), payment({ paymentId: '7-2-20' as PaymentId, status: 'DECLINED' })] },
    ],
    ['with a payment of another schedule', { payments: [] }],
  ])('%s is sound', (_, change) => {
    expect(accountFault({ ...sound, ...change })).toBeUndefined();
  });

  it.each<[string, Partial<AccountUnderAudit>]>([
    ['its balance is 501, the sum of its entries 500', { balance: 501 }],
    ['entry 2 leaves 299, and its sum is 300', { entries: [first, { ...debit, balanceAfter: 299 }, refund] }],
    [
      'entry 1 leaves -200',
      { balance: -200, entries: [entry(1, -200, -200, approved)], payments: [approved] },
    ],
    ['its balance is 0, the sum of its entries 500', { balance: 0 }],
    [
      'charge 1 has the amount -5',
      { balance: 0, entries: [charge(0, 5, 5), charge(1, -5, 0)], payments: [] },
    ],
    ['payment 3 has the amount 200', { entries: [first, debit, { ...refund, kind: 'payment' }] }],
    ['payment 2 has no payment 7-1-10', { entries: [first, { ...debit, payment: undefined }, refund] }],
    ['7-1-10 has a second payment, 3', { balance: 100, entries: [first, debit, entry(3, -200, 100)] }],
    ['7-1-10 has a second refund, 4', { balance: 700, entries: [first, debit, refund, entry(4, 200, 700)] }],
    [
      'payment 2 is of a payment of bob',
      { entries: [first, { ...debit, payment: payment({ userId: user('bob') }) }, refund] },
    ],
    [
      'payment 2 is of a payment by card',
      { entries: [first, { ...debit, payment: payment({ method: 'card' }) }, refund] },
    ],
    [
      'payment 2 has the amount -200, its payment 201',
      { entries: [first, { ...debit, payment: payment({ amountMinor: 201 }) }, refund] },
    ],
    [
      'payment 2 is of a payment that is CANCELLED',
      { entries: [first, { ...debit, payment: payment({ status: 'CANCELLED' }) }, refund] },
    ],
    [
      'refund 3 is of a payment that is APPROVED',
      { entries: [first, entry(2, -200, 300, approved), entry(3, 200, 500, approved)], payments: [approved] },
    ],
    ['7-1-10 is APPROVED and has no payment', { entries: [first], payments: [approved] }],
    ['7-1-10 is REFUNDED and has no payment', { entries: [first] }],
    ['7-1-10 is REFUNDED and has no refund', { balance: 300, entries: [first, debit] }],
  ])('account ann: %s', (fault, change) => {
    expect(accountFault({ ...sound, ...change })).toBe(`account ann: ${fault}`);
  });
});
