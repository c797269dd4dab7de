import { assert } from './assert.ts';
import type { Reservation } from './reservation.ts';

/**
 * The open holds by time of expiry: a binary heap that knows each hold's place (`expiryIndex`), so that an
 * extended or cancelled hold leaves in O(log n) and nothing stale stays behind.
 *
 * Ties go to the lower reservation number: expiry is deterministic (I6).
 */
export class ExpiryQueue {
  readonly #heap: Reservation[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** When the next hold ends; Infinity when none is open. */
  get nextExpiryMs(): number {
    return this.#heap[0]?.expiresAtMs ?? Number.POSITIVE_INFINITY;
  }

  add(hold: Reservation): void {
    assert(hold.expiryIndex === -1, 'a hold is queued once');
    this.#heap.push(hold);
    this.#rise(this.#heap.length - 1, hold);
  }

  remove(hold: Reservation): void {
    const index = hold.expiryIndex;
    assert(this.#heap[index] === hold, 'only a queued hold is removed');
    hold.expiryIndex = -1;
    const last = this.#heap.pop() as Reservation;
    if (last !== hold) this.#place(index, last);
  }

  /** Moves a queued hold to its new time. */
  reschedule(hold: Reservation, expiresAtMs: number): void {
    assert(this.#heap[hold.expiryIndex] === hold, 'only a queued hold is rescheduled');
    hold.expiresAtMs = expiresAtMs;
    this.#place(hold.expiryIndex, hold);
  }

  /**
   * Holds that end at or before `nowMs`, earliest first, at most `countMax`. Changes nothing, and looks at
   * no more than twice as many as it returns, however many are due.
   */
  due(nowMs: number, countMax: number): readonly Reservation[] {
    const found: Reservation[] = [];
    // Those whose parents are found, the earliest last.
    const open: Reservation[] = [];
    const offer = (index: number): void => {
      const hold = this.#heap[index];
      if (hold === undefined || hold.expiresAtMs > nowMs) return;
      let low = 0;
      let high = open.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (isBefore(hold, open[middle] as Reservation)) low = middle + 1;
        else high = middle;
      }
      open.splice(low, 0, hold);
    };
    offer(0);
    while (found.length < countMax) {
      const hold = open.pop();
      if (hold === undefined) break;
      found.push(hold);
      offer(2 * hold.expiryIndex + 1);
      offer(2 * hold.expiryIndex + 2);
    }
    return found;
  }

  #place(index: number, hold: Reservation): void {
    const parent = this.#heap[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && isBefore(hold, parent)) this.#rise(index, hold);
    else this.#sink(index, hold);
  }

  #rise(from: number, hold: Reservation): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex] as Reservation;
      if (!isBefore(hold, parent)) break;
      this.#set(index, parent);
      index = parentIndex;
    }
    this.#set(index, hold);
  }

  #sink(from: number, hold: Reservation): void {
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#heap[childIndex];
      if (child === undefined) break;
      const right = this.#heap[childIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (!isBefore(child, hold)) break;
      this.#set(index, child);
      index = childIndex;
    }
    this.#set(index, hold);
  }

  #set(index: number, hold: Reservation): void {
    this.#heap[index] = hold;
    hold.expiryIndex = index;
  }
}

const isBefore = (a: Reservation, b: Reservation): boolean =>
  a.expiresAtMs < b.expiresAtMs || (a.expiresAtMs === b.expiresAtMs && a.number < b.number);
