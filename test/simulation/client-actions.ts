import type { Action, Operation } from './operation.ts';
import type { Prng } from './prng.ts';
import type { World } from './world.ts';

/** Makes up what clients ask for: by chance, and often about what was asked for lately. */
export class ClientActions {
  readonly #prng: Prng;
  readonly #world: World;
  /** The script so far; it grows outside. */
  readonly #operations: readonly Operation[];
  /** Seats are picked among so many at the front. */
  readonly #hotSeats: number;

  constructor(prng: Prng, world: World, operations: readonly Operation[], hotSeats: number) {
    this.#prng = prng;
    this.#world = world;
    this.#operations = operations;
    this.#hotSeats = hotSeats;
  }

  hold(): Action {
    const schedule = this.schedule();
    const seats: (number | string)[] = [...this.#seats(schedule)];
    if (this.#prng.chance(0.03)) seats.push('nowhere');
    if (this.#prng.chance(0.03)) seats.push(seats[0] as number);
    return { kind: 'hold', schedule, user: this.#user(), seats, ...this.#key() };
  }

  holdBest(): Action {
    const schedule = this.schedule();
    const { seats } = (this.#world.sales[schedule] as World['sales'][number]).hall;
    const seat = this.#prng.pick(seats);
    return {
      kind: 'hold-best',
      schedule,
      user: this.#user(),
      quantity: this.#prng.between(1, 5),
      ...(this.#prng.chance(0.35) ? { category: seat.category } : undefined),
      ...(this.#prng.chance(0.25) ? { section: seat.section } : undefined),
      ...(this.#prng.chance(0.02) ? { category: 'no such category' } : undefined),
      adjacent: this.#prng.chance(0.75),
      ...this.#key(),
    };
  }

  onHold(kind: 'extend' | 'cancel' | 'read'): Action {
    const hold = this.#recent((action) => action.kind === 'hold' || action.kind === 'hold-best');
    if (hold === undefined) return this.hold();
    const { schedule, user } = hold.action as { schedule: number; user: number };
    const caller = this.#prng.chance(0.08) ? this.#user() : user;
    const key = kind === 'extend' ? this.#key() : {};
    return { kind, schedule, user: caller, hold: hold.id, ...key };
  }

  pay(): Action {
    const hold = this.#recent((action) => action.kind === 'hold' || action.kind === 'hold-best');
    if (hold === undefined) return this.hold();
    const { schedule, user } = hold.action as { schedule: number; user: number };
    const caller = this.#prng.chance(0.05) ? this.#user() : user;
    const card = this.#prng.weighted<'approves' | 'declines' | undefined>([
      [5, undefined],
      [4, 'approves'],
      [1, 'declines'],
    ]);
    return {
      kind: 'pay',
      schedule,
      user: caller,
      hold: hold.id,
      ...(card === undefined ? undefined : { card }),
      ...this.#key(),
    };
  }

  charge(): Action {
    const amount = this.#prng.between(1, 9_000);
    const key = `charge-${this.#operations.length}`;
    return { kind: 'charge', user: this.#user(), amount, key, times: this.#prng.between(1, 3) };
  }

  retry(): Action {
    const first = this.#recent((action) => 'key' in action);
    if (first === undefined) return this.hold();
    return { kind: 'retry', request: first.id, otherBody: this.#prng.chance(0.15) };
  }

  block(kind: 'block' | 'unblock'): Action {
    const schedule = this.schedule();
    return { kind, schedule, seats: this.#seats(schedule) };
  }

  /** One to four seats: side by side, or anywhere. */
  #seats(schedule: number): readonly number[] {
    const { length } = (this.#world.sales[schedule] as World['sales'][number]).hall.seats;
    const span = Math.min(length, this.#hotSeats);
    const count = this.#prng.between(1, Math.min(4, span));
    const first = this.#prng.below(span - count + 1);
    if (this.#prng.chance(0.6)) return Array.from({ length: count }, (_, index) => first + index);
    const picked = new Set(Array.from({ length: count }, () => this.#prng.below(span)));
    return [...picked];
  }

  #key(): { readonly key?: string } {
    return this.#prng.chance(0.7) ? { key: `key-${this.#operations.length}` } : {};
  }

  #recent(matches: (action: Action) => boolean): Operation | undefined {
    const found = this.#operations.slice(-40).filter(({ action }) => matches(action));
    if (found.length === 0) return undefined;
    return this.#prng.chance(0.6)
      ? found[found.length - 1 - this.#prng.below(Math.min(3, found.length))]
      : this.#prng.pick(found);
  }

  schedule(): number {
    return this.#prng.below(this.#world.sales.length);
  }

  #user(): number {
    return this.#prng.below(this.#world.users.length);
  }
}
