import type { ReservationNumber } from '../../src/actors/allocator/ids.ts';
import { type PaymentFailure, paymentMethods } from '../../src/actors/allocator/payment.ts';
import type { Prng } from '../simulation/prng.ts';
import type { ScheduleJournal } from './schedule-journal.ts';

const seatCount = 40;
const users = ['ann', 'bob', 'c:d@e.f', '_.-', 'x'.repeat(64)];
const failures: readonly PaymentFailure[] = [
  { reason: 'insufficient-points' },
  { reason: 'declined', declineCode: "it's lost" },
  { reason: 'cancelled' },
];
const keys = ['a', "it's", 'comma,quote"', 'k'.repeat(255), '{}', '0'];

/** Appends events that an actor could have decided: free seats are held or blocked, live holds move or end. */
export class RandomJournalWriter {
  readonly #journal: ScheduleJournal;
  readonly #prng: Prng;
  /** Seats of live reservations; those of HELD ones are what may be extended, paid for or ended. */
  readonly #live = new Map<ReservationNumber, readonly number[]>();
  readonly #held = new Set<ReservationNumber>();
  /** PAYING, and EXPIRED while they were. */
  readonly #open = new Map<ReservationNumber, OpenPayment>();
  readonly #blocked = new Set<number>();
  /** They never come back: the hall grows by as many, so that there is always something to sell. */
  #seatsPaid = 0;

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
    const hasHeld = this.#held.size > 0 ? 1 : 0;
    const hasOpen = this.#open.size > 0 ? 1 : 0;
    const hasBlocked = this.#blocked.size > 0 ? 1 : 0;
    this.#prng.weighted([
      [4 * hasFree, () => this.#hold(free.slice(0, this.#prng.between(1, 10)))],
      [1 * hasFree, () => this.#block(free.slice(0, this.#prng.between(1, 3)))],
      [1 * hasBlocked, () => this.#unblock(this.#prng.pick([...this.#blocked]))],
      [2 * hasHeld, () => this.#extend(this.#prng.pick([...this.#held]))],
      [3 * hasHeld, () => this.#end(this.#prng.pick([...this.#held]))],
      [2 * hasHeld, () => this.#pay(this.#prng.pick([...this.#held]))],
      [2 * hasOpen, () => this.#goOn(this.#prng.pick([...this.#open.keys()]))],
    ])();
  }

  #freeSeats(): number[] {
    const taken = new Set([...this.#live.values()].flat());
    const free = Array.from({ length: seatCount + this.#seatsPaid }, (_, seat) => seat);
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
    this.#held.add(number);
  }

  #extend(number: ReservationNumber): void {
    const { mark } = this.#maybeMark();
    this.#journal.extend(number, this.#journal.nowMs + this.#prng.below(600_000), mark);
  }

  #end(number: ReservationNumber): void {
    if (this.#prng.chance(0.5)) this.#journal.cancel(number);
    else this.#journal.expire(number);
    this.#live.delete(number);
    this.#held.delete(number);
  }

  #pay(number: ReservationNumber): void {
    const { mark } = this.#maybeMark();
    const method = this.#prng.pick(paymentMethods);
    const holdLeftMs = this.#prng.between(1, 600_000);
    const seq = this.#journal.pay(number, { method, holdLeftMs, ...(mark && { mark }) });
    this.#held.delete(number);
    this.#open.set(number, { seq, mark, hasSeats: true });
  }

  /** It is paid, fails, or takes too long; what took too long is given back in the end. */
  #goOn(number: ReservationNumber): void {
    const payment = this.#open.get(number)!;
    const { seq, mark, hasSeats } = payment;
    const end = hasSeats ? this.#prng.pick(['paid', 'failed', 'expired']) : 'refunded';
    if (end === 'expired') {
      this.#journal.expire(number);
      this.#live.delete(number);
      payment.hasSeats = false;
      return;
    }
    this.#open.delete(number);
    if (end === 'refunded') this.#journal.failPayment(number, seq, { failure: { reason: 'refunded' } });
    else if (end === 'paid') {
      this.#journal.paid(number, seq, mark);
      this.#seatsPaid += this.#live.get(number)!.length;
    } else {
      const expiresAtMs = this.#journal.nowMs + this.#prng.below(600_000);
      this.#journal.failPayment(number, seq, { failure: this.#prng.pick(failures), expiresAtMs });
      this.#held.add(number);
    }
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

interface OpenPayment {
  readonly seq: number;
  readonly mark: { key: string; fingerprint: number } | undefined;
  hasSeats: boolean;
}

function shuffled<T>(prng: Prng, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: prng.salt() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
