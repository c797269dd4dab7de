import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../../../../src/actors/allocator/invariants.ts';
import type { Reservation } from '../../../../src/actors/allocator/reservation.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import { mapOf } from '../hall-drawing.ts';
import { forEachSeed } from '../seeded-random.ts';
import { runRandomCommands } from './random-commands.ts';
import { approved, block, cancel, expire, hold, pay, ScheduleScript, settle } from './schedule-script.ts';

/** Ann holds A1 A2 (1), A3 was cancelled (2), A4 is blocked, B1 is held (3), the rest is free. */
const sound = (): ScheduleState =>
  new ScheduleScript(mapOf('pppp', 'pppp')).given([
    hold(100, 'ann', ['A1', 'A2']),
    hold(110, 'bob', ['A3']),
    cancel(120, 'bob', 2),
    block(130, ['A4']),
    hold(140, 'cid', ['B1']),
  ]).state;

/** A4 expired while it was paid for (1); A1 is held (2), A2 is paid for (3), A3 is paid (4), B1 was cancelled (5). */
const withPayments = (): ScheduleState =>
  new ScheduleScript(mapOf('pppp', 'pppp'), { holdTtlMs: 60_000 }).given([
    hold(90, 'dot', ['A4']),
    pay(91, 'dot', 1),
    expire(120_091),
    hold(120_100, 'ann', ['A1']),
    hold(120_100, 'ann', ['A2']),
    hold(120_100, 'bob', ['A3']),
    hold(120_100, 'bob', ['B1']),
    pay(120_100, 'ann', 3),
    pay(120_100, 'bob', 4),
    settle(120_100, 4, 9, approved),
    cancel(120_100, 'bob', 5),
  ]).state;

const made = { seq: 4, paidAtMs: 150, open: undefined };
const open = {
  seq: 4,
  paidAtMs: 0,
  open: { method: 'points', holdLeftMs: 9, idempotency: undefined },
} as const;

const broken = (state: ScheduleState): readonly string[] =>
  checkInvariants(state)
    .filter(({ faults }) => faults.length > 0)
    .map(({ invariant }) => invariant);

const reservation = (state: ScheduleState, number: number): Reservation =>
  state.reservations.get(number) as Reservation;

test('a sound state passes', () => {
  expect(broken(sound())).toEqual([]);
  expect(broken(withPayments())).toEqual([]);
});

test('random commands: the state is sound after each of them', () => {
  forEachSeed(40, (random) => {
    const script = new ScheduleScript(mapOf('ppp ppp', 'ssss'), {
      holdTtlMs: 2_000,
      paymentMaxMs: 2_000,
      seatsPerUserMax: 5,
    });
    for (let step = 0; step < 60; step++) {
      runRandomCommands(random, script, 1);
      expect(broken(script.state)).toEqual([]);
    }
  });
});

interface Plant {
  readonly name: string;
  readonly invariants: readonly string[];
  readonly plant: (state: ScheduleState) => void;
}

const plants: readonly Plant[] = [
  {
    name: 'a seat of a reservation has another holder',
    invariants: ['I1'],
    plant: (state) => state.holders.set([3], 0),
  },
  {
    name: 'a seat of a reservation has no holder',
    invariants: ['I1', 'I11'],
    plant: (state) => state.holders.set([0], 0),
  },
  {
    name: 'a free seat has a holder',
    invariants: ['I1', 'I11'],
    plant: (state) => state.holders.set([3], 5),
  },
  {
    name: 'a seat is held by a reservation that was cancelled',
    invariants: ['I1', 'I11'],
    plant: (state) => state.holders.set([2], 2),
  },
  {
    name: 'two reservations have one seat',
    invariants: ['I1', 'I11'],
    plant: (state) =>
      state.reservations.set(9, {
        ...reservation(state, 1),
        number: 9 as never,
        status: 'PAID',
        payment: made,
        expiryIndex: -1,
      }),
  },
  {
    name: 'a live reservation is not in memory',
    invariants: ['I1', 'I6', 'I11'],
    plant: (state) => state.reservations.delete(1),
  },
  {
    name: 'a hold is not queued for expiry',
    invariants: ['I6'],
    plant: (state) => state.expiries.remove(reservation(state, 3)),
  },
  {
    name: 'a hold is queued and does not know it',
    invariants: ['I6'],
    plant: (state) => {
      reservation(state, 3).expiryIndex = -1;
    },
  },
  {
    name: 'a cancelled reservation is queued for expiry',
    invariants: ['I6'],
    plant: (state) => state.expiries.add(reservation(state, 2)),
  },
  {
    name: 'a held seat is free in the bitmap',
    invariants: ['I11'],
    plant: (state) => state.free.release([0]),
  },
  {
    name: 'a free seat is taken in the bitmap',
    invariants: ['I11'],
    plant: (state) => state.free.take([6]),
  },
  {
    name: 'a blocked seat has no holder',
    invariants: ['I11'],
    plant: (state) => state.holders.set([0], 3),
  },
  {
    name: 'one held seat too many is counted',
    invariants: ['I11'],
    plant: (state) => {
      state.seatCounts.held += 1;
    },
  },
  {
    name: 'a blocked seat is counted as held',
    invariants: ['I11'],
    plant: (state) => {
      state.seatCounts.held += 1;
      state.seatCounts.blocked -= 1;
    },
  },
];

describe('a planted fault is found', () => {
  test.each(plants)('$name', ({ plant, invariants }) => {
    const state = sound();
    plant(state);
    expect(broken(state)).toEqual(invariants);
  });
});

describe('a payment that its status does not allow is found (I5)', () => {
  const faults: readonly (readonly [string, number, Reservation['payment']])[] = [
    ['a hold with a payment under way', 2, open],
    ['a hold with a payment that was made', 2, made],
    ['PAYING without a payment', 3, undefined],
    ['PAYING with a payment that was made', 3, made],
    ['PAID without a payment', 4, undefined],
    ['PAID with a payment that is still open', 4, open],
    ['PAID, but it does not say when', 4, { ...made, paidAtMs: 0 }],
    ['EXPIRED with a payment that was made', 1, made],
    ['CANCELLED with a payment under way', 5, open],
  ];

  test.each(faults)('%s', (_name, number, payment) => {
    const state = withPayments();
    reservation(state, number).payment = payment;
    expect(broken(state)).toEqual(['I5']);
  });
});

describe('a fault of a reservation that is paid for is found', () => {
  const faults: readonly Plant[] = [
    {
      name: 'its payment has no end',
      invariants: ['I6'],
      plant: (state) => state.expiries.remove(reservation(state, 3)),
    },
    {
      name: 'a paid one is queued for expiry',
      invariants: ['I6'],
      plant: (state) => state.expiries.add(reservation(state, 4)),
    },
    {
      name: 'its seats are counted as paid',
      invariants: ['I11'],
      plant: ({ seatCounts }) => {
        seatCounts.paying -= 1;
        seatCounts.paid += 1;
      },
    },
    {
      name: 'paid seats are counted as held',
      invariants: ['I11'],
      plant: ({ seatCounts }) => {
        seatCounts.held += 1;
        seatCounts.paid -= 1;
      },
    },
  ];

  test.each(faults)('$name', ({ plant, invariants }) => {
    const state = withPayments();
    plant(state);
    expect(broken(state)).toEqual(invariants);
  });
});
