import { describe, expect, test } from 'vitest';
import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import { evolve } from '../../../../src/actors/allocator/evolve.ts';
import { idempotencyWindowMs, type Memo } from '../../../../src/actors/allocator/idempotency-window.ts';
import { checkInvariants } from '../../../../src/actors/allocator/invariants.ts';
import { hasOpenPayment } from '../../../../src/actors/allocator/reservation.ts';
import {
  finishRestore,
  type RestoredReservation,
  restoreBlockedSeats,
  restoreMemo,
  restoreReservation,
} from '../../../../src/actors/allocator/restore.ts';
import {
  emptyState,
  type ScheduleState,
  type ScheduleTerms,
} from '../../../../src/actors/allocator/state.ts';
import { decodeEvent, encodeEvent } from '../../../../src/actors/runtime/event-codec.ts';
import { mapOf } from '../hall-drawing.ts';
import { forEachSeed, type SeededRandom } from '../seeded-random.ts';
import { EventProjection } from './event-projection.ts';
import { runRandomCommands } from './random-commands.ts';
import { reservationNumber, ScheduleScript, termsOf, user } from './schedule-script.ts';
import { pictureOf } from './state-picture.ts';

const map = mapOf('ppp pppp', 'sss', 'pspsps');

function randomScript(random: SeededRandom): ScheduleScript {
  const script = new ScheduleScript(map, {
    seatsPerUserMax: random.pick([3, 8, Number.POSITIVE_INFINITY]),
    orphanRule: random.chance(30),
    holdTtlMs: 5_000,
    holdTotalMaxMs: 12_000,
    paymentMaxMs: 4_000,
  });
  runRandomCommands(random, script, 120);
  return script;
}

const throughTheJournal = (event: ScheduleEvent): ScheduleEvent =>
  decodeEvent({ seq: event.seq, atMs: event.atMs, type: event.type, payload: encodeEvent(event) });

const faultsOf = (state: ScheduleState): readonly string[] =>
  checkInvariants(state).flatMap(({ faults }) => faults);

describe('random commands: a state that was rebuilt equals the live one', () => {
  test('by evolve over the whole journal', () => {
    const typesSeen = new Set<string>();
    forEachSeed(150, (random) => {
      const { state, events } = randomScript(random);
      const rebuilt = emptyState(state.terms);
      for (const event of events) {
        expect(throughTheJournal(event)).toEqual(event);
        evolve(rebuilt, throughTheJournal(event));
        typesSeen.add(event.type);
      }
      expect(pictureOf(rebuilt)).toEqual(pictureOf(state));
      expect(faultsOf(rebuilt)).toEqual([]);
    });
    expect(typesSeen.size).toBe(9);
  });

  test('from projections up to any seq, and evolve over the journal behind them', () => {
    const openSeen = new Set<string>();
    forEachSeed(150, (random) => {
      const { state, events } = randomScript(random);
      const projected = random.chance(20) ? events.length : random.int(events.length + 1);
      const projection = new EventProjection();
      for (const event of events.slice(0, projected)) projection.apply(event);
      const rebuilt = emptyState(state.terms);
      projection.restoreInto(rebuilt);
      expect(faultsOf(rebuilt)).toEqual([]);
      for (const reservation of rebuilt.reservations.values()) {
        if (hasOpenPayment(reservation)) openSeen.add(reservation.status);
      }
      for (const event of events.slice(projected)) evolve(rebuilt, throughTheJournal(event));
      expect(pictureOf(rebuilt)).toEqual(pictureOf(state));
    });
    expect(openSeen).toEqual(new Set(['PAYING', 'EXPIRED']));
  });
});

describe('a restored reservation', () => {
  const terms: ScheduleTerms = termsOf(map, { seatsPerUserMax: 9 });
  const open = { method: 'card', holdLeftMs: 5, idempotency: undefined } as const;
  const row = (
    number: number,
    status: RestoredReservation['status'],
    seats: readonly number[],
    changed: Partial<RestoredReservation> = {},
  ): RestoredReservation => ({
    number: reservationNumber(number),
    userId: user('ann'),
    seats,
    totalMinor: 1_000,
    heldAtMs: 10,
    status,
    expiresAtMs: 20,
    endedAtMs: 0,
    seq: number,
    payment: undefined,
    ...changed,
  });

  test('counts as what it is: under way it may expire, paid it may not', () => {
    const state = emptyState(terms);
    restoreReservation(state, row(1, 'PAYING', [0, 1], { payment: { seq: 3, paidAtMs: 0, open } }));
    restoreReservation(state, row(2, 'PAID', [3], { payment: { seq: 2, paidAtMs: 12, open: undefined } }));
    finishRestore(state, { seq: 4, lastAtMs: 19, lastReservationNumber: 2 });
    expect(state.seatCounts).toEqual({ held: 0, paying: 2, paid: 1, blocked: 0 });
    expect([state.expiries.size, state.expiries.nextExpiryMs]).toEqual([1, 20]);
    expect([...state.liveSeatsOfUser]).toEqual([['ann', 3]]);
    expect(faultsOf(state)).toEqual([]);
  });

  test('that expired while its payment is open has no seats, and is not in line to be forgotten', () => {
    const state = emptyState(terms);
    const ended = { endedAtMs: 20, seq: 5, payment: { seq: 3, paidAtMs: 0, open } };
    restoreReservation(state, row(1, 'EXPIRED', [0, 1], ended));
    restoreReservation(state, row(2, 'EXPIRED', [0], { endedAtMs: 20, seq: 6 }));
    finishRestore(state, { seq: 6, lastAtMs: 20, lastReservationNumber: 2 });
    expect([state.free.count, state.expiries.size, state.liveSeatsOfUser.size]).toEqual([16, 0, 0]);
    expect(state.ended.numbers).toEqual([2]);
    expect(faultsOf(state)).toEqual([]);
    evolve(state, { type: 'blocked', seq: 7, atMs: 20 + idempotencyWindowMs, seats: [9] });
    expect([...state.reservations.keys()]).toEqual([1]);
  });

  test('I1: whose seat another one has is refused', () => {
    const state = emptyState(terms);
    restoreReservation(state, row(1, 'PAID', [0]));
    expect(() => restoreReservation(state, row(2, 'HELD', [0]))).toThrow('I1');
    expect(() => restoreBlockedSeats(state, [0])).toThrow('I1');
  });

  test('with ids that the constructors would not make is refused', () => {
    const memo: Memo = {
      kind: 'held',
      seq: 1,
      atMs: 1,
      fingerprint: 1,
      number: reservationNumber(1),
      expiresAtMs: 2,
    };
    expect(() => restoreMemo(emptyState(terms), 'not a user', 'k', memo)).toThrow('stored ids');
    expect(() => restoreMemo(emptyState(terms), 'ann', 'not a key', memo)).toThrow('stored ids');
  });
});
