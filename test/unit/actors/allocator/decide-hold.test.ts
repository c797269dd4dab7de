import { describe, expect, test } from 'vitest';
import type { Command } from '../../../../src/actors/allocator/command.ts';
import { type Decision, decide } from '../../../../src/actors/allocator/decide.ts';
import type { ScheduleTerms } from '../../../../src/actors/allocator/state.ts';
import { mapOf } from '../hall-drawing.ts';
import {
  block,
  cancel,
  expire,
  hold,
  mark,
  reservationNumber,
  ScheduleScript,
  user,
} from './schedule-script.ts';

/** A1 A2 A3 | A4 A5 of category p (1,000), B1 … B4 of category s (2,000). */
const map = mapOf('ppp pp', 'ssss');

interface Row {
  readonly name: string;
  readonly terms?: Partial<ScheduleTerms>;
  readonly given?: readonly Command[];
  readonly command: Command;
  readonly expected: Decision;
}

const held = (fields: object): Decision => [
  {
    type: 'held',
    seq: 1,
    atMs: 100,
    number: reservationNumber(1),
    userId: user('ann'),
    seats: [0],
    totalMinor: 1_000,
    expiresAtMs: 300_100,
    ...fields,
  },
];

const decided: readonly Row[] = [
  { name: 'one free seat', command: hold(100, 'ann', ['A1']), expected: held({}) },
  {
    name: 'several seats stay in the order of the request, and their prices add up',
    command: hold(100, 'ann', ['B2', 'A5', 'A1']),
    expected: held({ seats: [6, 4, 0], totalMinor: 4_000 }),
  },
  {
    name: 'the mark of the request is part of the event',
    command: hold(100, 'ann', ['A1'], mark('k-1', 42)),
    expected: held({ idempotency: mark('k-1', 42) }),
  },
  {
    name: 'numbers and seq go on from the last event',
    given: [hold(90, 'bob', ['B1', 'B2']), hold(95, 'cid', ['B3'])],
    command: hold(100, 'ann', ['A1']),
    expected: held({ seq: 3, number: 3 }),
  },
  {
    name: 'a cancelled reservation keeps its number, its seats are free again',
    given: [hold(90, 'bob', ['A1']), cancel(95, 'bob', 1)],
    command: hold(100, 'ann', ['A1']),
    expected: held({ seq: 3, number: 2 }),
  },
  {
    name: 'on sale at this very millisecond',
    terms: { onSaleAtMs: 100 },
    command: hold(100, 'ann', ['A1']),
    expected: held({}),
  },
  {
    name: 'as many seats as a reservation may have',
    terms: { seatsPerReservationMax: 3 },
    command: hold(100, 'ann', ['A1', 'A2', 'A3']),
    expected: held({ seats: [0, 1, 2], totalMinor: 3_000 }),
  },
  {
    name: 'the last seats of the limit of the user',
    terms: { seatsPerUserMax: 3 },
    given: [hold(90, 'ann', ['B1', 'B2'])],
    command: hold(100, 'ann', ['A1']),
    expected: held({ seq: 2, number: 2 }),
  },
  {
    name: 'cancelled seats no longer count against the limit',
    terms: { seatsPerUserMax: 2 },
    given: [hold(80, 'ann', ['B1', 'B2']), cancel(90, 'ann', 1)],
    command: hold(100, 'ann', ['A1']),
    expected: held({ seq: 3, number: 2 }),
  },
  {
    name: 'expired seats no longer count against the limit',
    terms: { seatsPerUserMax: 2, holdTtlMs: 50 },
    given: [hold(10, 'ann', ['B1', 'B2']), expire(60)],
    command: hold(100, 'ann', ['A1']),
    expected: held({ seq: 3, number: 2, expiresAtMs: 150 }),
  },
  {
    name: "somebody else's seats don't count against the limit",
    terms: { seatsPerUserMax: 1 },
    given: [hold(90, 'bob', ['B1'])],
    command: hold(100, 'ann', ['A1']),
    expected: held({ seq: 2, number: 2 }),
  },
  {
    name: 'an orphan without the orphan rule',
    command: hold(100, 'ann', ['A2', 'A3']),
    expected: held({ seats: [1, 2], totalMinor: 2_000 }),
  },
  {
    name: 'a whole block with the orphan rule',
    terms: { orphanRule: true },
    command: hold(100, 'ann', ['A1', 'A2', 'A3']),
    expected: held({ seats: [0, 1, 2], totalMinor: 3_000 }),
  },
];

const refused: readonly Row[] = [
  {
    name: 'not on sale, one millisecond early',
    terms: { onSaleAtMs: 101 },
    command: hold(100, 'ann', ['A1']),
    expected: { code: 'not-on-sale', onSaleAtMs: 101 },
  },
  {
    name: 'every unknown seat is named, once, in the order of the request',
    command: hold(100, 'ann', ['Z9', 'A1', 'a1', 'Z9']),
    expected: { code: 'unknown-seats', seatIds: ['Z9', 'a1'] },
  },
  {
    name: 'a repeated seat among two',
    command: hold(100, 'ann', ['A1', 'A1']),
    expected: { code: 'duplicate-seats', seatIds: ['A1'] },
  },
  {
    name: 'every repeated seat is named once',
    command: hold(100, 'ann', ['A1', 'B1', 'A1', 'B1', 'B1', 'B2']),
    expected: { code: 'duplicate-seats', seatIds: ['A1', 'B1'] },
  },
  {
    name: 'all or none: one taken seat refuses the other (I10)',
    given: [hold(90, 'bob', ['A2'])],
    command: hold(100, 'ann', ['A1', 'A2']),
    expected: { code: 'seats-taken', conflictingSeatIds: ['A2'] },
  },
  {
    name: 'held and blocked seats conflict alike, one of their own as well',
    given: [hold(80, 'ann', ['A1']), block(90, ['B4'])],
    command: hold(100, 'ann', ['B4', 'A2', 'A1']),
    expected: { code: 'seats-taken', conflictingSeatIds: ['B4', 'A1'] },
  },
  {
    name: 'a selection that strands a seat at the end of a block',
    terms: { orphanRule: true },
    command: hold(100, 'ann', ['A2', 'A3']),
    expected: { code: 'orphan-seat', seatIds: ['A1'] },
  },
  {
    name: 'a selection that strands a seat beside a taken one',
    terms: { orphanRule: true },
    given: [hold(90, 'bob', ['B1', 'B2'])],
    command: hold(100, 'ann', ['B4']),
    expected: { code: 'orphan-seat', seatIds: ['B3'] },
  },
  {
    name: 'one seat more than the limit of the user',
    terms: { seatsPerUserMax: 3 },
    given: [hold(90, 'ann', ['B1', 'B2'])],
    command: hold(100, 'ann', ['A1', 'A2']),
    expected: { code: 'seat-limit-exceeded', limit: 3 },
  },
];

const early: Partial<ScheduleTerms> = { onSaleAtMs: 200, orphanRule: true, seatsPerUserMax: 0 };
const onSale: Partial<ScheduleTerms> = { ...early, onSaleAtMs: 0 };

/** Each row breaks every rule from its own on; the refusal is that of the first. */
const precedence: readonly Row[] = [
  {
    name: 'not-on-sale before unknown-seats',
    terms: early,
    command: hold(100, 'ann', ['Z9', 'A1', 'A1']),
    expected: { code: 'not-on-sale', onSaleAtMs: 200 },
  },
  {
    name: 'unknown-seats before duplicate-seats',
    terms: onSale,
    command: hold(100, 'ann', ['Z9', 'A1', 'A1']),
    expected: { code: 'unknown-seats', seatIds: ['Z9'] },
  },
  {
    name: 'duplicate-seats before seats-taken',
    terms: onSale,
    given: [block(90, ['A3'])],
    command: hold(100, 'ann', ['A3', 'A1', 'A1']),
    expected: { code: 'duplicate-seats', seatIds: ['A1'] },
  },
  {
    name: 'seats-taken before orphan-seat',
    terms: onSale,
    given: [block(90, ['A3'])],
    command: hold(100, 'ann', ['A3', 'A1']),
    expected: { code: 'seats-taken', conflictingSeatIds: ['A3'] },
  },
  {
    name: 'orphan-seat before seat-limit-exceeded',
    terms: onSale,
    given: [block(90, ['A3'])],
    command: hold(100, 'ann', ['A1']),
    expected: { code: 'orphan-seat', seatIds: ['A2'] },
  },
  {
    name: 'seat-limit-exceeded at last',
    terms: onSale,
    given: [block(90, ['A3'])],
    command: hold(100, 'ann', ['A1', 'A2']),
    expected: { code: 'seat-limit-exceeded', limit: 0 },
  },
];

const decides = ({ terms, given = [], command, expected }: Row): void => {
  const { state } = new ScheduleScript(map, terms).given(given);
  const seqBefore = state.seq;
  expect(decide(state, command)).toEqual(expected);
  expect(state.seq, 'decide changes nothing').toBe(seqBefore);
};

describe('hold named seats: decided', () => {
  test.each(decided)('$name', decides);
});
describe('hold named seats: refused', () => {
  test.each(refused)('$name', decides);
});
describe('hold named seats: the first rule that is broken is the refusal', () => {
  test.each(precedence)('$name', decides);
});

describe('what the edge and the actor guarantee is asserted', () => {
  const { state } = new ScheduleScript(map, { seatsPerReservationMax: 2 }).given([hold(100, 'bob', ['B1'])]);

  test('a command is not earlier than the last event', () => {
    expect(() => decide(state, hold(99, 'ann', ['A1']))).toThrow('time does not go back');
  });

  test('a request is not larger than a reservation may be', () => {
    expect(() => decide(state, hold(100, 'ann', ['A1', 'A2', 'A3']))).toThrow('checked at the edge');
  });

  test('every category has a price', () => {
    const unpriced = new ScheduleScript(map, { priceMinorOfCategory: [1_000] }).state;
    expect(() => decide(unpriced, hold(100, 'ann', ['B1']))).toThrow('integer price');
  });
});
