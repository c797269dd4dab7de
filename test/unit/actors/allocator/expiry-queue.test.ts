import { describe, expect, test } from 'vitest';
import { ExpiryQueue } from '../../../../src/actors/allocator/expiry-queue.ts';
import type { Reservation } from '../../../../src/actors/allocator/reservation.ts';
import { forEachSeed, type SeededRandom } from '../seeded-random.ts';
import { reservationNumber, user } from './schedule-script.ts';

const holdUntil = (number: number, expiresAtMs: number): Reservation => ({
  number: reservationNumber(number),
  userId: user('ann'),
  seats: [0],
  totalMinor: 0,
  heldAtMs: 0,
  status: 'HELD',
  expiresAtMs,
  endedAtMs: 0,
  seq: number,
  payment: undefined,
  expiryIndex: -1,
});

const numbersOf = (holds: readonly Reservation[]): readonly number[] => holds.map((hold) => hold.number);

/** What the queue says, from a list that is sorted anew each time. */
class SortedList {
  readonly #holds = new Set<Reservation>();

  add(hold: Reservation): void {
    this.#holds.add(hold);
  }

  remove(hold: Reservation): void {
    this.#holds.delete(hold);
  }

  get sorted(): readonly Reservation[] {
    return [...this.#holds].sort((a, b) => a.expiresAtMs - b.expiresAtMs || a.number - b.number);
  }
}

test('random adds, removals and moves: the same as a sorted list', () => {
  forEachSeed(300, (random) => {
    const queue = new ExpiryQueue();
    const list = new SortedList();
    for (let number = 1; number <= 120; number++) {
      change(random, queue, list, number);
      const { sorted } = list;
      expect(queue.size).toBe(sorted.length);
      expect(queue.nextExpiryMs).toBe(sorted[0]?.expiresAtMs ?? Number.POSITIVE_INFINITY);
      const nowMs = random.int(60);
      const countMax = random.between(1, 20);
      const due = sorted.filter((hold) => hold.expiresAtMs <= nowMs).slice(0, countMax);
      expect(numbersOf(queue.due(nowMs, countMax))).toEqual(numbersOf(due));
    }
  });
});

/** Few times, so that many are equal. */
function change(random: SeededRandom, queue: ExpiryQueue, list: SortedList, number: number): void {
  const { sorted } = list;
  if (sorted.length === 0 || random.chance(55)) {
    const hold = holdUntil(number, random.int(50));
    queue.add(hold);
    list.add(hold);
    return;
  }
  const hold = random.pick(sorted);
  if (random.chance(50)) {
    queue.reschedule(hold, random.int(50));
    return;
  }
  queue.remove(hold);
  list.remove(hold);
  expect(hold.expiryIndex).toBe(-1);
}

test('emptied from the front, it gives back all in order', () => {
  const queue = new ExpiryQueue();
  const times = [5, 3, 9, 3, 1, 5, 5, 2, 8, 1];
  for (const [index, expiresAtMs] of times.entries()) queue.add(holdUntil(index + 1, expiresAtMs));
  const order: number[] = [];
  while (queue.size > 0) {
    const [first] = queue.due(Number.MAX_SAFE_INTEGER, 1);
    if (first === undefined) throw new Error('a queue that is not empty has a first hold');
    queue.remove(first);
    order.push(first.number);
  }
  expect(order).toEqual([5, 10, 8, 2, 4, 1, 6, 7, 9, 3]);
});

describe('a hold is in the queue once', () => {
  const queue = new ExpiryQueue();
  const queued = holdUntil(1, 10);
  queue.add(queued);

  test('not added twice', () => {
    expect(() => queue.add(queued)).toThrow('queued once');
  });
  test('not removed when it is not there', () => {
    expect(() => queue.remove(holdUntil(2, 10))).toThrow('only a queued hold');
  });
  test('not moved when it is not there', () => {
    expect(() => queue.reschedule(holdUntil(2, 10), 11)).toThrow('only a queued hold');
  });
});
