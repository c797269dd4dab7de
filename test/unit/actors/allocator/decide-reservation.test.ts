import { describe, expect, test } from 'vitest';
import type { Command } from '../../../../src/actors/allocator/command.ts';
import {
  type Decision,
  decide,
  expiriesPerCommandMax,
  isRejection,
} from '../../../../src/actors/allocator/decide.ts';
import type { Payment } from '../../../../src/actors/allocator/open-payment.ts';
import type { ReservationStatus } from '../../../../src/actors/allocator/reservation.ts';
import { type RestoredReservation, restoreReservation } from '../../../../src/actors/allocator/restore.ts';
import type { ScheduleTerms } from '../../../../src/actors/allocator/state.ts';
import { mapOf } from '../hall-drawing.ts';
import {
  cancel,
  expire,
  extend,
  hold,
  mark,
  reservationNumber,
  ScheduleScript,
  user,
} from './schedule-script.ts';

const map = mapOf('pppp', 'pppp');

interface Row {
  readonly name: string;
  readonly terms?: Partial<ScheduleTerms>;
  /** Reservation 5 is in memory with this status. */
  readonly stored?: ReservationStatus;
  readonly given?: readonly Command[];
  readonly command: Command;
  readonly expected: Decision;
}

/** Holds last 100 ms, and 250 ms at most however often they are extended. */
const terms: Partial<ScheduleTerms> = { holdTtlMs: 100, holdTotalMaxMs: 250 };
const held = hold(1_000, 'ann', ['A1']);
const number = reservationNumber(1);

const extending: readonly Row[] = [
  {
    name: 'a hold lasts its time again, from now',
    given: [held],
    command: extend(1_040, 'ann', 1),
    expected: [{ type: 'extended', seq: 2, atMs: 1_040, number, expiresAtMs: 1_140 }],
  },
  {
    name: 'the mark of the request is part of the event',
    given: [held],
    command: extend(1_040, 'ann', 1, mark('k', 9)),
    expected: [
      { type: 'extended', seq: 2, atMs: 1_040, number, expiresAtMs: 1_140, idempotency: mark('k', 9) },
    ],
  },
  {
    name: 'in its last millisecond',
    given: [held],
    command: extend(1_099, 'ann', 1),
    expected: [{ type: 'extended', seq: 2, atMs: 1_099, number, expiresAtMs: 1_199 }],
  },
  {
    name: 'up to the cap and no further',
    given: [held, extend(1_090, 'ann', 1)],
    command: extend(1_180, 'ann', 1),
    expected: [{ type: 'extended', seq: 3, atMs: 1_180, number, expiresAtMs: 1_250 }],
  },
  {
    name: 'exactly to the cap',
    given: [held, extend(1_090, 'ann', 1)],
    command: extend(1_150, 'ann', 1),
    expected: [{ type: 'extended', seq: 3, atMs: 1_150, number, expiresAtMs: 1_250 }],
  },
  {
    name: 'a hold at its cap is refused',
    given: [held, extend(1_090, 'ann', 1), extend(1_150, 'ann', 1)],
    command: extend(1_151, 'ann', 1),
    expected: { code: 'hold-limit-reached' },
  },
  {
    name: 'never to an earlier time, where holds have become shorter',
    terms: { holdTtlMs: 10 },
    stored: 'HELD',
    command: extend(1_001, 'ann', 5),
    expected: [{ type: 'extended', seq: 1, atMs: 1_001, number: reservationNumber(5), expiresAtMs: 1_100 }],
  },
  {
    name: 'a reservation that there is not',
    given: [held],
    command: extend(1_010, 'ann', 2),
    expected: { code: 'not-found' },
  },
  {
    name: "somebody else's reservation",
    given: [held],
    command: extend(1_010, 'bob', 1),
    expected: { code: 'not-found' },
  },
  {
    name: 'an expired hold',
    given: [held, expire(1_100)],
    command: extend(1_100, 'ann', 1),
    expected: { code: 'hold-expired' },
  },
  {
    name: 'a cancelled reservation',
    given: [held, cancel(1_010, 'ann', 1)],
    command: extend(1_020, 'ann', 1),
    expected: { code: 'already-cancelled' },
  },
  {
    name: 'while a payment is under way',
    stored: 'PAYING',
    command: extend(1_010, 'ann', 5),
    expected: { code: 'payment-in-progress' },
  },
  {
    name: 'a paid reservation',
    stored: 'PAID',
    command: extend(1_010, 'ann', 5),
    expected: { code: 'already-paid' },
  },
];

const cancelling: readonly Row[] = [
  {
    name: 'a hold',
    given: [held],
    command: cancel(1_010, 'ann', 1),
    expected: [{ type: 'cancelled', seq: 2, atMs: 1_010, number }],
  },
  {
    name: 'twice is once',
    given: [held, cancel(1_010, 'ann', 1)],
    command: cancel(1_020, 'ann', 1),
    expected: [],
  },
  {
    name: 'a reservation that there is not',
    given: [held],
    command: cancel(1_010, 'ann', 7),
    expected: { code: 'not-found' },
  },
  {
    name: "somebody else's reservation",
    given: [held],
    command: cancel(1_010, 'bob', 1),
    expected: { code: 'not-found' },
  },
  {
    name: 'an expired hold',
    given: [held, expire(1_100)],
    command: cancel(1_100, 'ann', 1),
    expected: { code: 'hold-expired' },
  },
  {
    name: 'while a payment is under way',
    stored: 'PAYING',
    command: cancel(1_010, 'ann', 5),
    expected: { code: 'payment-in-progress' },
  },
  {
    name: 'a paid reservation',
    stored: 'PAID',
    command: cancel(1_010, 'ann', 5),
    expected: { code: 'already-paid' },
  },
];

const expiring: readonly Row[] = [
  { name: 'nothing is open', command: expire(1_000), expected: [] },
  { name: 'one millisecond early', given: [held], command: expire(1_099), expected: [] },
  {
    name: 'at its very millisecond',
    given: [held],
    command: expire(1_100),
    expected: [{ type: 'expired', seq: 2, atMs: 1_100, number }],
  },
  {
    name: 'the earliest first, equal ones by number, the ones not due stay',
    given: [
      hold(1_000, 'ann', ['A1']),
      hold(1_000, 'ann', ['A2']),
      hold(1_000, 'bob', ['A3']),
      hold(1_001, 'cid', ['A4']),
      extend(1_001, 'ann', 1),
    ],
    command: expire(1_100),
    expected: [
      { type: 'expired', seq: 6, atMs: 1_100, number: reservationNumber(2) },
      { type: 'expired', seq: 7, atMs: 1_100, number: reservationNumber(3) },
    ],
  },
  {
    name: 'a payment under way, before its time is up',
    stored: 'PAYING',
    command: expire(1_099),
    expected: [],
  },
  {
    name: 'a payment under way that took too long',
    stored: 'PAYING',
    command: expire(1_100),
    expected: [{ type: 'expired', seq: 1, atMs: 1_100, number: reservationNumber(5) }],
  },
  { name: 'a paid reservation, never', stored: 'PAID', command: expire(99_999_999), expected: [] },
];

/** What a reservation of this status needs; its time is up at 1,100 as a hold's is. */
const paymentOf = (status: ReservationStatus): Payment | undefined => {
  if (status === 'PAID') return { seq: 4, paidAtMs: 1_005, open: undefined };
  if (status !== 'PAYING') return undefined;
  return { seq: 4, paidAtMs: 0, open: { method: 'points', holdLeftMs: 95, idempotency: undefined } };
};

/** Ann's seat B4, as a store would give it back. */
const restored = (status: ReservationStatus): RestoredReservation => ({
  number: reservationNumber(5),
  userId: user('ann'),
  seats: [7],
  totalMinor: 1_000,
  heldAtMs: 1_000,
  status,
  expiresAtMs: 1_100,
  endedAtMs: 0,
  seq: 0,
  payment: paymentOf(status),
});

const decides = ({ terms: changed, stored, given = [], command, expected }: Row): void => {
  const script = new ScheduleScript(map, { ...terms, ...changed });
  if (stored !== undefined) restoreReservation(script.state, restored(stored));
  expect(decide(script.given(given).state, command)).toEqual(expected);
};

describe('extend', () => {
  test.each(extending)('$name', decides);
});
describe('cancel', () => {
  test.each(cancelling)('$name', decides);
});
describe('expire', () => {
  test.each(expiring)('$name', decides);
});

test('one command ends a bounded number of holds, the rest is for the next', () => {
  const seats = expiriesPerCommandMax + 3;
  const script = new ScheduleScript(mapOf('p'.repeat(seats)), terms);
  script.given(Array.from({ length: seats }, (_, index) => hold(1_000, 'ann', [`A${index + 1}`])));
  const first = decide(script.state, expire(5_000));
  if (isRejection(first)) throw new Error('an expiry is never refused');
  expect(first.map((event) => 'number' in event && event.number)).toEqual(
    Array.from({ length: expiriesPerCommandMax }, (_, index) => index + 1),
  );
  script.given([expire(5_000)]);
  expect(script.state.expiries.size).toBe(0);
  expect(script.state.free.count).toBe(seats);
});
