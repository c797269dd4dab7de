import { describe, expect, test } from 'vitest';
import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import { evolve } from '../../../../src/actors/allocator/evolve.ts';
import { idempotencyWindowMs, type Memo } from '../../../../src/actors/allocator/idempotency-window.ts';
import type { Reservation } from '../../../../src/actors/allocator/reservation.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import { mapOf } from '../hall-drawing.ts';
import {
  approved,
  block,
  declined,
  expire,
  hold,
  mark,
  pay,
  refunded,
  reservationNumber,
  ScheduleScript,
  settle,
  user,
} from './schedule-script.ts';

/** Holds last 60 s, payments 120 s. Ann has A1 and A2, and pays for them under seq 2. */
const terms = { holdTtlMs: 60_000, paymentMaxMs: 120_000, seatsPerUserMax: 4 };
const paying = (): ScheduleScript =>
  new ScheduleScript(mapOf('pppp'), terms).given([
    hold(1_000, 'ann', ['A1', 'A2'], mark('h')),
    pay(11_000, 'ann', 1, mark('k', 9)),
  ]);
const paid = (): ScheduleScript => paying().given([settle(12_000, 1, 2, approved)]);
const failed = (): ScheduleScript => paying().given([settle(12_000, 1, 2, declined)]);
const expired = (): ScheduleScript => paying().given([expire(131_000)]);
const closed = (): ScheduleScript => expired().given([settle(140_000, 1, 2, refunded)]);

const reservation = ({ state }: ScheduleScript): Reservation => state.reservations.get(1) as Reservation;
const memo = ({ state }: ScheduleScript, key: string, name = 'ann'): Memo | undefined =>
  state.idempotency.find(user(name), mark(key), state.lastAtMs);
const open = { method: 'points', holdLeftMs: 50_000, idempotency: mark('k', 9) };

interface Row {
  readonly name: string;
  readonly script: () => ScheduleScript;
  readonly reservation: Partial<Reservation>;
  readonly seatCounts: ScheduleState['seatCounts'];
  readonly holders: readonly number[];
  readonly liveSeatsOfUser: readonly (readonly [string, number])[];
  readonly nextExpiryMs: number;
}

const never = Number.POSITIVE_INFINITY;

const rows: readonly Row[] = [
  {
    name: 'paying: the seats are kept, until the time of the payment',
    script: paying,
    reservation: {
      status: 'PAYING',
      expiresAtMs: 131_000,
      endedAtMs: 0,
      seq: 2,
      payment: { seq: 2, paidAtMs: 0, open: open as never },
    },
    seatCounts: { held: 0, paying: 2, paid: 0, blocked: 0 },
    holders: [1, 1, 0, 0],
    liveSeatsOfUser: [['ann', 2]],
    nextExpiryMs: 131_000,
  },
  {
    name: 'paid: for ever',
    script: paid,
    reservation: {
      status: 'PAID',
      endedAtMs: 0,
      seq: 3,
      payment: { seq: 2, paidAtMs: 12_000, open: undefined },
    },
    seatCounts: { held: 0, paying: 0, paid: 2, blocked: 0 },
    holders: [1, 1, 0, 0],
    liveSeatsOfUser: [['ann', 2]],
    nextExpiryMs: never,
  },
  {
    name: 'payment-failed: a hold again',
    script: failed,
    reservation: { status: 'HELD', expiresAtMs: 62_000, endedAtMs: 0, seq: 3, payment: undefined },
    seatCounts: { held: 2, paying: 0, paid: 0, blocked: 0 },
    holders: [1, 1, 0, 0],
    liveSeatsOfUser: [['ann', 2]],
    nextExpiryMs: 62_000,
  },
  {
    name: 'expired: the seats are free, the payment stays open',
    script: expired,
    reservation: {
      status: 'EXPIRED',
      endedAtMs: 131_000,
      seq: 3,
      payment: { seq: 2, paidAtMs: 0, open: open as never },
    },
    seatCounts: { held: 0, paying: 0, paid: 0, blocked: 0 },
    holders: [0, 0, 0, 0],
    liveSeatsOfUser: [],
    nextExpiryMs: never,
  },
  {
    name: 'payment-failed after that: the payment is over, and nothing else changes',
    script: closed,
    reservation: { status: 'EXPIRED', endedAtMs: 131_000, seq: 4, payment: undefined },
    seatCounts: { held: 0, paying: 0, paid: 0, blocked: 0 },
    holders: [0, 0, 0, 0],
    liveSeatsOfUser: [],
    nextExpiryMs: never,
  },
];

describe('what each event of a payment makes of a schedule', () => {
  test.each(rows)('$name', (row) => {
    const script = row.script();
    const { state } = script;
    expect(reservation(script)).toMatchObject(row.reservation);
    expect(state.seatCounts).toEqual(row.seatCounts);
    expect([...state.holders]).toEqual(row.holders);
    expect(state.free.count).toBe(row.holders.filter((holder) => holder === 0).length);
    expect([...state.liveSeatsOfUser]).toEqual(row.liveSeatsOfUser);
    expect(state.expiries.nextExpiryMs).toBe(row.nextExpiryMs);
  });

  test('the seats of a payment that was too slow are for somebody else at once', () => {
    const script = expired().given([hold(131_000, 'bob', ['A2'])]);
    script.given([settle(140_000, 1, 2, refunded)]);
    expect([...script.state.holders]).toEqual([0, 2, 0, 0]);
  });
});

describe('the key of a payment (I8)', () => {
  test('is kept while the payment is under way', () => {
    expect(memo(paying(), 'k')).toEqual({
      kind: 'paying',
      seq: 2,
      atMs: 11_000,
      fingerprint: 9,
      number: 1,
      expiresAtMs: 131_000,
    });
  });

  test('answers the success once there is one, for 24 hours from then on', () => {
    const script = paid();
    expect(memo(script, 'k')).toMatchObject({
      kind: 'paid',
      seq: 3,
      atMs: 12_000,
      fingerprint: 9,
      number: 1,
    });
    script.given([block(11_999 + idempotencyWindowMs, ['A3'])]);
    expect(memo(script, 'k')).toBeDefined();
    script.given([block(12_000 + idempotencyWindowMs, ['A4'])]);
    expect([memo(script, 'k'), script.state.idempotency.size]).toEqual([undefined, 0]);
  });

  test('is forgotten with a payment that failed: only a success is remembered', () => {
    expect(memo(failed(), 'k')).toBeUndefined();
  });

  test('is forgotten when the seats are gone, though the payment is still open', () => {
    expect(memo(expired(), 'k')).toBeUndefined();
  });

  test('the keys of other requests stay', () => {
    for (const script of [paying(), paid(), failed(), expired(), closed()]) {
      expect(memo(script, 'h')).toMatchObject({ kind: 'held', seq: 1 });
    }
  });

  test('used again for another request while the payment is still open, it stays with that request', () => {
    const script = expired().given([
      hold(132_000, 'ann', ['A3'], mark('k', 5)),
      settle(140_000, 1, 2, refunded),
    ]);
    expect(memo(script, 'k')).toMatchObject({ kind: 'held', seq: 4, number: 2, fingerprint: 5 });
  });

  test('a payment without a key leaves none', () => {
    const script = new ScheduleScript(mapOf('pppp'), terms).given([
      hold(1_000, 'ann', ['A1']),
      pay(11_000, 'ann', 1),
      settle(12_000, 1, 2, approved),
    ]);
    expect(script.state.idempotency.size).toBe(0);
  });
});

describe('an ended reservation whose payment is open', () => {
  const laterMs = 131_000 + 10 * idempotencyWindowMs;

  test('is never forgotten', () => {
    const script = expired().given([block(laterMs, ['A3'])]);
    expect(script.state.reservations.has(1)).toBe(true);
  });

  test('does not stand in the way of others that ended after it', () => {
    const script = expired().given([hold(132_000, 'bob', ['A4']), expire(192_000), block(laterMs, ['A3'])]);
    expect([...script.state.reservations.keys()]).toEqual([1]);
  });

  test('is forgotten after its payment is over, with the next event', () => {
    const script = expired().given([settle(laterMs, 1, 2, refunded)]);
    expect(script.state.reservations.has(1)).toBe(true);
    script.given([block(laterMs, ['A3'])]);
    expect(script.state.reservations.size).toBe(0);
  });

  test('and not before 24 hours after its end', () => {
    const script = closed().given([block(130_999 + idempotencyWindowMs, ['A3'])]);
    expect(script.state.reservations.has(1)).toBe(true);
    script.given([block(131_000 + idempotencyWindowMs, ['A4'])]);
    expect(script.state.reservations.has(1)).toBe(false);
  });
});

test('a paid reservation is never forgotten', () => {
  const script = paid().given([block(99 * idempotencyWindowMs, ['A3'])]);
  expect(reservation(script).status).toBe('PAID');
});

describe('an event that does not fit is a bug', () => {
  const number = reservationNumber(1);
  const at = { seq: 4, atMs: 200_000, number };
  const begins = { type: 'paying', method: 'points', holdLeftMs: 1, expiresAtMs: 300_000 } as const;
  const fails = { type: 'payment-failed', paymentSeq: 2, failure: declined } as const;
  const faults: readonly (readonly [string, () => ScheduleScript, ScheduleEvent, string])[] = [
    ['paying for what is paid', paid, { ...begins, ...at }, 'only a hold'],
    ['paying for what has expired', expired, { ...begins, ...at }, 'only a hold'],
    ['paid twice', paid, { type: 'paid', ...at, paymentSeq: 2 }, 'I5'],
    ['paid after the payment failed', failed, { type: 'paid', ...at, paymentSeq: 2 }, 'I5'],
    ['paid by another payment', expired, { type: 'paid', ...at, paymentSeq: 1 }, 'I5'],
    ['paid after the seats are gone', expired, { type: 'paid', ...at, paymentSeq: 2 }, 'I5'],
    ['failed twice', failed, { ...fails, ...at, expiresAtMs: 300_000 }, 'I5'],
    ['a hold given back when the seats are gone', expired, { ...fails, ...at, expiresAtMs: 9 }, 'under way'],
    [
      'settling what there is not',
      paid,
      { ...fails, ...at, number: reservationNumber(9) },
      'open payment is in memory',
    ],
    ['what is paid expires', paid, { type: 'expired', ...at }, 'only a hold'],
  ];

  test.each(faults)('%s', (_name, script, event, fault) => {
    expect(() => evolve(script().state, event)).toThrow(fault);
  });

  test.each([
    ['a payment under way is cancelled', { type: 'cancelled' }, 'only a hold'],
    ['a payment under way is extended', { type: 'extended', expiresAtMs: 300_000 }, 'only a hold'],
    ['a live reservation gets no hold back', fails, 'gets its hold back'],
  ] as const)('%s', (_name, event, fault) => {
    expect(() => evolve(paying().state, { ...event, ...at, seq: 3 } as ScheduleEvent)).toThrow(fault);
  });
});
