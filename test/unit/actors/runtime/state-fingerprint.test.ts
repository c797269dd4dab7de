import { beforeEach, describe, expect, test } from 'vitest';
import type { Reservation } from '../../../../src/actors/allocator/reservation.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import { fingerprintOf } from '../../../../src/actors/runtime/state-fingerprint.ts';
import { cancel, hold, ScheduleScript } from '../allocator/schedule-script.ts';
import { mapOf } from '../hall-drawing.ts';

let state: ScheduleState;
beforeEach(() => {
  state = script().state;
});

/** Ann has A1 A2, Bob has A3; Eve had A4. */
function script(): ScheduleScript {
  return new ScheduleScript(mapOf('pppppp')).given([
    hold(100, 'ann', ['A1', 'A2']),
    hold(200, 'bob', ['A3']),
    hold(300, 'eve', ['A4']),
    cancel(400, 'eve', 3),
  ]);
}

const changed = (number: number, changes: Partial<Reservation>): ScheduleState => ({
  ...state,
  reservations: new Map(
    [...state.reservations].map(([key, reservation]) => [
      key,
      key === number ? { ...reservation, ...changes } : reservation,
    ]),
  ),
});

test('32 bits, the same for the same history', () => {
  const fingerprint = fingerprintOf(state);
  expect(fingerprintOf(script().state)).toBe(fingerprint);
  expect([Number.isInteger(fingerprint), fingerprint >= 0, fingerprint < 2 ** 32]).toEqual([
    true,
    true,
    true,
  ]);
});

describe('states that answer alike have it in common', () => {
  test('in whatever order reservations are in memory', () => {
    const turned = { ...state, reservations: new Map([...state.reservations].reverse()) };
    expect([...turned.reservations.keys()]).toEqual([3, 2, 1]);
    expect(fingerprintOf(turned)).toBe(fingerprintOf(state));
  });

  test('and the seats of a reservation', () => {
    expect(fingerprintOf(changed(1, { seats: [1, 0] }))).toBe(fingerprintOf(state));
  });

  test('whatever is still remembered of reservations that have ended', () => {
    const live = new Map([...state.reservations].filter(([number]) => number !== 3));
    expect(fingerprintOf({ ...state, reservations: live })).toBe(fingerprintOf(state));
  });
});

describe('a difference is seen', () => {
  test.each<[string, (state: ScheduleState) => ScheduleState]>([
    ['seq', (of) => ({ ...of, seq: of.seq + 1 })],
    ['time', (of) => ({ ...of, lastAtMs: of.lastAtMs + 1 })],
    ['time, by more than 32 bits', (of) => ({ ...of, lastAtMs: of.lastAtMs + 2 ** 32 })],
    ['number of the newest reservation', (of) => ({ ...of, lastReservationNumber: 9 })],
    [
      'a reservation more',
      (of) => ({ ...of, reservations: new Map([...of.reservations, [9, of.reservations.get(1)!]]) }),
    ],
    ['a reservation less', (of) => ({ ...of, reservations: new Map([...of.reservations].slice(1)) })],
    ['number', () => changed(1, { number: 5 as Reservation['number'] })],
    ['seq of a reservation', () => changed(1, { seq: 9 })],
    ['expiry', () => changed(2, { expiresAtMs: 1 })],
    [
      'expiry, by more than 32 bits',
      (of) => changed(2, { expiresAtMs: of.reservations.get(2)!.expiresAtMs + 2 ** 32 }),
    ],
    ['price', () => changed(1, { totalMinor: 1 })],
    [
      'price, by more than 32 bits',
      (of) => changed(1, { totalMinor: of.reservations.get(1)!.totalMinor + 2 ** 32 }),
    ],
    ['status', () => changed(1, { status: 'PAID' })],
    ['seats', () => changed(1, { seats: [0, 5] })],
  ])('%s', (_what, change) => {
    expect(fingerprintOf(change(state))).not.toBe(fingerprintOf(state));
  });

  test('a seat that is blocked', () => {
    const before = fingerprintOf(state);
    state.free.take([5]);
    expect(fingerprintOf(state)).not.toBe(before);
  });

  test('two reservations that have changed all but their numbers', () => {
    const [ann, bob] = [state.reservations.get(1)!, state.reservations.get(2)!];
    const { number, seq } = ann;
    const changed = new Map([
      [1, { ...bob, number, seq }],
      [2, { ...ann, number: bob.number, seq: bob.seq }],
    ]);
    expect(fingerprintOf({ ...state, reservations: changed })).not.toBe(fingerprintOf(state));
  });

  test('two reservations that have changed their ends', () => {
    const [ann, bob] = [state.reservations.get(1)!, state.reservations.get(2)!];
    expect(ann.expiresAtMs).not.toBe(bob.expiresAtMs);
    const before = fingerprintOf(state);
    [ann.expiresAtMs, bob.expiresAtMs] = [bob.expiresAtMs, ann.expiresAtMs];
    expect(fingerprintOf(state)).not.toBe(before);
  });
});
