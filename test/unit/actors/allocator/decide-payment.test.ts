import { describe, expect, test } from 'vitest';
import type { Command } from '../../../../src/actors/allocator/command.ts';
import { type Decision, decide } from '../../../../src/actors/allocator/decide.ts';
import { holdFloorMs } from '../../../../src/actors/allocator/payment.ts';
import type { ScheduleTerms } from '../../../../src/actors/allocator/state.ts';
import { mapOf } from '../hall-drawing.ts';
import {
  approved,
  cancel,
  declined,
  expire,
  extend,
  hold,
  mark,
  pay,
  refunded,
  reservationNumber,
  ScheduleScript,
  settle,
} from './schedule-script.ts';

interface Row {
  readonly name: string;
  readonly terms?: Partial<ScheduleTerms>;
  readonly given: readonly Command[];
  readonly command: Command;
  readonly expected: Decision;
}

/** A hold lasts 60 s, and 150 s at most however often it is extended; a payment 120 s. */
const terms = { holdTtlMs: 60_000, holdTotalMaxMs: 150_000, paymentMaxMs: 120_000 };
const number = reservationNumber(1);

/** Ann's A1 from 1,000 on; paid for from 11,000 on under seq 2, when it has 50 s left. */
const held = hold(1_000, 'ann', ['A1']);
const paying = [held, pay(11_000, 'ann', 1, mark('k', 9))];
/** The payment was too slow: what it pays for is gone, and it is still open. */
const expired = [...paying, expire(131_000)];

const beginning: readonly Row[] = [
  {
    name: 'a hold: what it has left is kept, and the payment has its own time',
    given: [held],
    command: pay(11_000, 'ann', 1),
    expected: [
      {
        type: 'paying',
        seq: 2,
        atMs: 11_000,
        number,
        method: 'points',
        holdLeftMs: 50_000,
        expiresAtMs: 131_000,
      },
    ],
  },
  {
    name: 'the mark of the request is part of the event, and so is the method',
    given: [held],
    command: pay(11_000, 'ann', 1, mark('k', 9), 'card'),
    expected: [
      {
        type: 'paying',
        seq: 2,
        atMs: 11_000,
        number,
        method: 'card',
        holdLeftMs: 50_000,
        expiresAtMs: 131_000,
        idempotency: mark('k', 9),
      },
    ],
  },
  {
    name: 'in the last millisecond of a hold',
    given: [held],
    command: pay(60_999, 'ann', 1),
    expected: [
      {
        type: 'paying',
        seq: 2,
        atMs: 60_999,
        number,
        method: 'points',
        holdLeftMs: 1,
        expiresAtMs: 180_999,
      },
    ],
  },
  {
    name: 'an extended hold has the more left',
    given: [held, extend(31_000, 'ann', 1)],
    command: pay(41_000, 'ann', 1),
    expected: [
      {
        type: 'paying',
        seq: 3,
        atMs: 41_000,
        number,
        method: 'points',
        holdLeftMs: 50_000,
        expiresAtMs: 161_000,
      },
    ],
  },
  {
    name: 'after a payment that failed: another one, under its own seq',
    given: [...paying, settle(12_000, 1, 2, declined)],
    command: pay(13_000, 'ann', 1),
    expected: [
      {
        type: 'paying',
        seq: 4,
        atMs: 13_000,
        number,
        method: 'points',
        holdLeftMs: 49_000,
        expiresAtMs: 133_000,
      },
    ],
  },
  {
    name: 'a reservation that there is not',
    given: [held],
    command: pay(11_000, 'ann', 2),
    expected: { code: 'not-found' },
  },
  {
    name: "somebody else's reservation",
    given: [held],
    command: pay(11_000, 'bob', 1),
    expected: { code: 'not-found' },
  },
  {
    name: 'one that is being paid for',
    given: paying,
    command: pay(12_000, 'ann', 1),
    expected: { code: 'payment-in-progress' },
  },
  {
    name: 'one that is paid',
    given: [...paying, settle(12_000, 1, 2, approved)],
    command: pay(13_000, 'ann', 1),
    expected: { code: 'already-paid' },
  },
  {
    name: 'one that has expired (I6)',
    given: [held, expire(61_000)],
    command: pay(61_000, 'ann', 1),
    expected: { code: 'hold-expired' },
  },
  {
    name: 'one that expired while it was being paid for',
    given: expired,
    command: pay(132_000, 'ann', 1),
    expected: { code: 'hold-expired' },
  },
  {
    name: 'one that was cancelled',
    given: [held, cancel(2_000, 'ann', 1)],
    command: pay(3_000, 'ann', 1),
    expected: { code: 'already-cancelled' },
  },
];

/** A hold lasts 300 s and a payment 120 s: Ann's A1 is hers until 301,000, paid for or not. */
const longHold = { holdTtlMs: 300_000, holdTotalMaxMs: 900_000, paymentMaxMs: 120_000 };
const payingEarly = [held, pay(11_000, 'ann', 1)];

const lasting: readonly Row[] = [
  {
    name: 'begun when the hold has more left than a payment takes: the time of the hold',
    terms: longHold,
    given: [held],
    command: pay(180_999, 'ann', 1),
    expected: [
      {
        type: 'paying',
        seq: 2,
        atMs: 180_999,
        number,
        method: 'points',
        holdLeftMs: 120_001,
        expiresAtMs: 301_000,
      },
    ],
  },
  {
    name: 'begun when it has less left: the time of the payment',
    terms: longHold,
    given: [held],
    command: pay(181_001, 'ann', 1),
    expected: [
      {
        type: 'paying',
        seq: 2,
        atMs: 181_001,
        number,
        method: 'points',
        holdLeftMs: 119_999,
        expiresAtMs: 301_001,
      },
    ],
  },
  {
    name: 'its own time passes, and the seats are still kept',
    terms: longHold,
    given: payingEarly,
    command: expire(300_999),
    expected: [],
  },
  {
    name: 'both have passed, and the seats are gone',
    terms: longHold,
    given: payingEarly,
    command: expire(301_000),
    expected: [{ type: 'expired', seq: 3, atMs: 301_000, number }],
  },
  {
    name: 'approved after its own time, within that of the hold',
    terms: longHold,
    given: [...payingEarly, expire(300_998)],
    command: settle(300_999, 1, 2, approved),
    expected: [{ type: 'paid', seq: 3, atMs: 300_999, number, paymentSeq: 2 }],
  },
];

/** A1 is paid for in vain again and again; each time it gets 30 s, until 271,000 have passed. */
const inVain: readonly Command[] = [
  held,
  pay(60_000, 'ann', 1),
  settle(179_000, 1, 2, declined),
  pay(208_000, 'ann', 1),
  settle(242_000, 1, 4, declined),
];

const limiting: readonly Row[] = [
  {
    name: 'the last millisecond in which a payment may begin',
    given: inVain,
    command: pay(270_999, 'ann', 1),
    expected: [
      {
        type: 'paying',
        seq: 6,
        atMs: 270_999,
        number,
        method: 'points',
        holdLeftMs: 1_001,
        expiresAtMs: 390_999,
      },
    ],
  },
  {
    name: 'a millisecond later it is over, though the hold has time left',
    given: inVain,
    command: pay(271_000, 'ann', 1),
    expected: { code: 'hold-limit-reached' },
  },
];

const settling: readonly Row[] = [
  {
    name: 'approved: paid, with the mark of the request that began it',
    given: paying,
    command: settle(12_000, 1, 2, approved),
    expected: [{ type: 'paid', seq: 3, atMs: 12_000, number, paymentSeq: 2, idempotency: mark('k', 9) }],
  },
  {
    name: 'approved, begun without a mark',
    given: [held, pay(11_000, 'ann', 1)],
    command: settle(12_000, 1, 2, approved),
    expected: [{ type: 'paid', seq: 3, atMs: 12_000, number, paymentSeq: 2 }],
  },
  {
    name: 'approved in the last millisecond of the payment',
    given: paying,
    command: settle(130_999, 1, 2, approved),
    expected: [{ type: 'paid', seq: 3, atMs: 130_999, number, paymentSeq: 2, idempotency: mark('k', 9) }],
  },
  {
    name: 'failed: the hold is back, with the time that it had left',
    given: paying,
    command: settle(20_000, 1, 2, declined),
    expected: [
      {
        type: 'payment-failed',
        seq: 3,
        atMs: 20_000,
        number,
        paymentSeq: 2,
        failure: declined,
        expiresAtMs: 70_000,
      },
    ],
  },
  {
    name: 'failed, with less than 30 s left: 30 s',
    given: [held, pay(31_001, 'ann', 1)],
    command: settle(40_000, 1, 2, { reason: 'insufficient-points' }),
    expected: [
      {
        type: 'payment-failed',
        seq: 3,
        atMs: 40_000,
        number,
        paymentSeq: 2,
        failure: { reason: 'insufficient-points' },
        expiresAtMs: 40_000 + holdFloorMs,
      },
    ],
  },
  {
    name: 'failed, when the seats are gone: nothing comes back, the payment is over',
    given: expired,
    command: settle(140_000, 1, 2, refunded),
    expected: [{ type: 'payment-failed', seq: 4, atMs: 140_000, number, paymentSeq: 2, failure: refunded }],
  },
  {
    name: 'approved, when the seats are gone: refused, the money must go back (I5)',
    given: expired,
    command: settle(140_000, 1, 2, approved),
    expected: { code: 'hold-expired' },
  },
  {
    name: 'paid already: nothing, whatever is said',
    given: [...paying, settle(12_000, 1, 2, approved)],
    command: settle(13_000, 1, 2, declined),
    expected: [],
  },
  {
    name: 'failed already: nothing, though it is said to be approved',
    given: [...paying, settle(12_000, 1, 2, declined)],
    command: settle(13_000, 1, 2, approved),
    expected: [],
  },
  {
    name: 'over after the seats were gone: nothing',
    given: [...expired, settle(140_000, 1, 2, refunded)],
    command: settle(150_000, 1, 2, refunded),
    expected: [],
  },
  {
    name: 'of an earlier payment, while another one is under way: nothing',
    given: [...paying, settle(12_000, 1, 2, declined), pay(13_000, 'ann', 1)],
    command: settle(14_000, 1, 2, approved),
    expected: [],
  },
  {
    name: 'of a hold that nobody pays for: nothing',
    given: [held],
    command: settle(12_000, 1, 1, approved),
    expected: [],
  },
  {
    name: 'of a reservation that there is not: nothing',
    given: paying,
    command: settle(12_000, 5, 2, approved),
    expected: [],
  },
];

const meanwhile: readonly Row[] = [
  {
    name: 'it can’t be cancelled',
    given: paying,
    command: cancel(12_000, 'ann', 1),
    expected: { code: 'payment-in-progress' },
  },
  {
    name: 'nor extended',
    given: paying,
    command: extend(12_000, 'ann', 1),
    expected: { code: 'payment-in-progress' },
  },
  {
    name: 'its seats are taken',
    given: paying,
    command: hold(12_000, 'bob', ['A1', 'A2']),
    expected: { code: 'seats-taken', conflictingSeatIds: ['A1'] },
  },
  { name: 'its hold no longer ends', given: paying, command: expire(130_999), expected: [] },
  {
    name: 'it ends itself when its payment takes too long',
    given: paying,
    command: expire(131_000),
    expected: [{ type: 'expired', seq: 3, atMs: 131_000, number }],
  },
  {
    name: 'once paid it can’t be cancelled',
    given: [...paying, settle(12_000, 1, 2, approved)],
    command: cancel(13_000, 'ann', 1),
    expected: { code: 'already-paid' },
  },
  {
    name: 'once paid it can’t be extended',
    given: [...paying, settle(12_000, 1, 2, approved)],
    command: extend(13_000, 'ann', 1),
    expected: { code: 'already-paid' },
  },
  {
    name: 'once paid it never ends',
    given: [...paying, settle(12_000, 1, 2, approved)],
    command: expire(999_999_999),
    expected: [],
  },
  {
    name: 'given back, it ends as a hold does',
    given: [...paying, settle(20_000, 1, 2, declined)],
    command: expire(70_000),
    expected: [{ type: 'expired', seq: 4, atMs: 70_000, number }],
  },
];

const decides = ({ terms: own = terms, given, command, expected }: Row): void => {
  const script = new ScheduleScript(mapOf('pppp'), own).given(given);
  expect(decide(script.state, command)).toEqual(expected);
};

describe('pay', () => {
  test.each(beginning)('$name', decides);
});
describe('nobody loses time by paying', () => {
  test.each(lasting)('$name', decides);
});
describe('declined payments can’t keep seats for ever', () => {
  test.each(limiting)('$name', decides);
});
describe('settle a payment', () => {
  test.each(settling)('$name', decides);
});
describe('a reservation while it is paid for, and after', () => {
  test.each(meanwhile)('$name', decides);
});
