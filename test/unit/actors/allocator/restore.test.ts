import { describe, expect, test } from 'vitest';
import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import { evolve } from '../../../../src/actors/allocator/evolve.ts';
import { idempotencyWindowMs, type Memo } from '../../../../src/actors/allocator/idempotency-window.ts';
import { checkInvariants } from '../../../../src/actors/allocator/invariants.ts';
import { isLive } from '../../../../src/actors/allocator/reservation.ts';
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
  });
  runRandomCommands(random, script, 120);
  return script;
}

/** What a store would keep of the events, written down without the code under test. */
class Projection {
  readonly reservations = new Map<number, RestoredReservation>();
  readonly blocked = new Set<number>();
  readonly memos: { readonly user: string; readonly key: string; readonly memo: Memo }[] = [];
  seq = 0;
  lastAtMs = 0;

  apply(event: ScheduleEvent): void {
    this.seq = event.seq;
    this.lastAtMs = event.atMs;
    if (event.type === 'blocked') for (const seat of event.seats) this.blocked.add(seat);
    else if (event.type === 'unblocked') for (const seat of event.seats) this.blocked.delete(seat);
    else if (event.type === 'held') this.#hold(event);
    else if (event.type === 'extended') this.#change(event, { expiresAtMs: event.expiresAtMs });
    else
      this.#change(event, {
        status: event.type === 'expired' ? 'EXPIRED' : 'CANCELLED',
        endedAtMs: event.atMs,
      });
    if ('idempotency' in event && event.idempotency !== undefined) this.#remember(event);
  }

  /** Into an empty state, less what is older than 24 hours, in no order but the one that restore asks for. */
  restoreInto(state: ScheduleState): void {
    const sinceMs = this.lastAtMs - idempotencyWindowMs;
    for (const reservation of [...this.reservations.values()].reverse()) {
      if (isLive(reservation.status) || reservation.endedAtMs > sinceMs)
        restoreReservation(state, reservation);
    }
    restoreBlockedSeats(state, [...this.blocked]);
    for (const { user: name, key, memo } of this.memos) {
      if (memo.atMs > sinceMs) restoreMemo(state, name, key, memo);
    }
    const { seq, lastAtMs } = this;
    finishRestore(state, { seq, lastAtMs, lastReservationNumber: Math.max(0, ...this.reservations.keys()) });
  }

  #hold(event: Extract<ScheduleEvent, { type: 'held' }>): void {
    const { number, userId, seats, totalMinor, atMs: heldAtMs, expiresAtMs, seq } = event;
    const ended = { status: 'HELD', endedAtMs: 0 } as const;
    this.reservations.set(number, {
      number,
      userId,
      seats,
      totalMinor,
      heldAtMs,
      expiresAtMs,
      seq,
      ...ended,
    });
  }

  #change(
    event: { readonly number: number; readonly seq: number },
    fields: Partial<RestoredReservation>,
  ): void {
    const before = this.reservations.get(event.number) as RestoredReservation;
    this.reservations.set(event.number, { ...before, ...fields, seq: event.seq });
  }

  #remember(event: Extract<ScheduleEvent, { type: 'held' | 'extended' }>): void {
    const { type: kind, seq, atMs, number, expiresAtMs } = event;
    const { key, fingerprint } = event.idempotency as NonNullable<typeof event.idempotency>;
    const owner = (this.reservations.get(number) as RestoredReservation).userId;
    this.memos.push({ user: owner, key, memo: { kind, seq, atMs, fingerprint, number, expiresAtMs } });
  }
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
    expect(typesSeen.size).toBe(6);
  });

  test('from projections up to any seq, and evolve over the journal behind them', () => {
    forEachSeed(150, (random) => {
      const { state, events } = randomScript(random);
      const projected = random.chance(20) ? events.length : random.int(events.length + 1);
      const projection = new Projection();
      for (const event of events.slice(0, projected)) projection.apply(event);
      const rebuilt = emptyState(state.terms);
      projection.restoreInto(rebuilt);
      expect(faultsOf(rebuilt)).toEqual([]);
      for (const event of events.slice(projected)) evolve(rebuilt, throughTheJournal(event));
      expect(pictureOf(rebuilt)).toEqual(pictureOf(state));
    });
  });
});

describe('a payment under way and a paid reservation keep their seats and never expire', () => {
  const terms: ScheduleTerms = termsOf(map, { seatsPerUserMax: 9 });
  const row = (number: number, status: RestoredReservation['status'], seats: readonly number[]) => ({
    number: reservationNumber(number),
    userId: user('ann'),
    seats,
    totalMinor: 1_000,
    heldAtMs: 10,
    status,
    expiresAtMs: 20,
    endedAtMs: 0,
    seq: number,
  });

  test('they count as what they are', () => {
    const state = emptyState(terms);
    restoreReservation(state, row(1, 'PAYING', [0, 1]));
    restoreReservation(state, row(2, 'PAID', [3]));
    finishRestore(state, { seq: 4, lastAtMs: 30, lastReservationNumber: 2 });
    expect(state.seatCounts).toEqual({ held: 0, paying: 2, paid: 1, blocked: 0 });
    expect(state.expiries.size).toBe(0);
    expect([...state.liveSeatsOfUser]).toEqual([['ann', 3]]);
    expect(faultsOf(state)).toEqual([]);
  });

  test('I1: a store that gives a seat to two of them is refused', () => {
    const state = emptyState(terms);
    restoreReservation(state, row(1, 'PAID', [0]));
    expect(() => restoreReservation(state, row(2, 'HELD', [0]))).toThrow('I1');
    expect(() => restoreBlockedSeats(state, [0])).toThrow('I1');
  });

  test('ids that the constructors would not make are refused', () => {
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
