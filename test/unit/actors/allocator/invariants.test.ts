import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../../../../src/actors/allocator/invariants.ts';
import type { Reservation } from '../../../../src/actors/allocator/reservation.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import { mapOf } from '../hall-drawing.ts';
import { forEachSeed } from '../seeded-random.ts';
import { runRandomCommands } from './random-commands.ts';
import { block, cancel, hold, ScheduleScript } from './schedule-script.ts';

/** Ann holds A1 A2 (1), A3 was cancelled (2), A4 is blocked, B1 is held (3), the rest is free. */
const sound = (): ScheduleState =>
  new ScheduleScript(mapOf('pppp', 'pppp')).given([
    hold(100, 'ann', ['A1', 'A2']),
    hold(110, 'bob', ['A3']),
    cancel(120, 'bob', 2),
    block(130, ['A4']),
    hold(140, 'cid', ['B1']),
  ]).state;

const broken = (state: ScheduleState): readonly string[] =>
  checkInvariants(state)
    .filter(({ faults }) => faults.length > 0)
    .map(({ invariant }) => invariant);

const reservation = (state: ScheduleState, number: number): Reservation =>
  state.reservations.get(number) as Reservation;

test('a sound state passes', () => {
  expect(broken(sound())).toEqual([]);
});

test('random commands: the state is sound after each of them', () => {
  forEachSeed(40, (random) => {
    const script = new ScheduleScript(mapOf('ppp ppp', 'ssss'), { holdTtlMs: 2_000, seatsPerUserMax: 5 });
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
