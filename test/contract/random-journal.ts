import type { ReservationNumber } from '../../src/actors/allocator/ids.ts';
import type { Prng } from '../simulation/prng.ts';
import type { ScheduleJournal } from './schedule-journal.ts';

const seatCount = 40;
const users = ['ann', 'bob', 'c:d@e.f', '_.-', 'x'.repeat(64)];
const keys = ['a', "it's", 'comma,quote"', 'k'.repeat(255), '{}', '0'];

/** Appends events that an actor could have decided: free seats are held or blocked, live holds move or end. */
export class RandomJournalWriter {
  readonly #journal: ScheduleJournal;
  readonly #prng: Prng;
  readonly #live = new Map<ReservationNumber, readonly number[]>();
  readonly #blocked = new Set<number>();

  constructor(journal: ScheduleJournal, prng: Prng) {
    this.#journal = journal;
    this.#prng = prng;
  }

  write(events: number): void {
    for (let written = 0; written < events; written++) {
      this.#journal.nowMs += this.#prng.below(3) * this.#prng.below(10_000);
      this.#writeOne();
    }
  }

  #writeOne(): void {
    const free = this.#freeSeats();
    const hasFree = free.length > 0 ? 1 : 0;
    const hasLive = this.#live.size > 0 ? 1 : 0;
    const hasBlocked = this.#blocked.size > 0 ? 1 : 0;
    this.#prng.weighted([
      [4 * hasFree, () => this.#hold(free.slice(0, this.#prng.between(1, 10)))],
      [1 * hasFree, () => this.#block(free.slice(0, this.#prng.between(1, 3)))],
      [1 * hasBlocked, () => this.#unblock(this.#prng.pick([...this.#blocked]))],
      [2 * hasLive, () => this.#extend(this.#prng.pick([...this.#live.keys()]))],
      [3 * hasLive, () => this.#end(this.#prng.pick([...this.#live.keys()]))],
    ])();
  }

  #freeSeats(): number[] {
    const taken = new Set([...this.#live.values()].flat());
    const free = Array.from({ length: seatCount }, (_, seat) => seat);
    return shuffled(
      this.#prng,
      free.filter((seat) => !taken.has(seat) && !this.#blocked.has(seat)),
    );
  }

  #hold(seats: readonly number[]): void {
    const number = this.#journal.hold({
      userId: this.#prng.pick(users),
      seats,
      totalMinor: this.#prng.chance(0.1) ? Number.MAX_SAFE_INTEGER : this.#prng.below(100_000),
      expiresAtMs: this.#journal.nowMs + this.#prng.below(600_000),
      ...this.#maybeMark(),
    });
    this.#live.set(number, seats);
  }

  #extend(number: ReservationNumber): void {
    const { mark } = this.#maybeMark();
    this.#journal.extend(number, this.#journal.nowMs + this.#prng.below(600_000), mark);
  }

  #end(number: ReservationNumber): void {
    if (this.#prng.chance(0.5)) this.#journal.cancel(number);
    else this.#journal.expire(number);
    this.#live.delete(number);
  }

  #block(seats: readonly number[]): void {
    this.#journal.block(...seats);
    for (const seat of seats) this.#blocked.add(seat);
  }

  #unblock(seat: number): void {
    this.#journal.unblock(seat);
    this.#blocked.delete(seat);
  }

  #maybeMark(): { mark?: { key: string; fingerprint: number } } {
    if (this.#prng.chance(0.3)) return {};
    const fingerprint = this.#prng.chance(0.2) ? Number.MAX_SAFE_INTEGER : this.#prng.salt();
    return { mark: { key: this.#prng.pick(keys), fingerprint } };
  }
}

function shuffled<T>(prng: Prng, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: prng.salt() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
