import type { JournalRow } from '../../../src/actors/runtime/ports.ts';

/** A reservation as the journal tells it. */
export interface ModelReservation {
  readonly number: number;
  readonly userId: string;
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly heldAtMs: number;
  readonly status: 'HELD' | 'PAYING' | 'PAID' | 'EXPIRED' | 'CANCELLED';
  readonly expiresAtMs: number;
  readonly endedAtMs: number;
  readonly paidAtMs: number;
  readonly seq: number;
  /** Under way, made, or of a reservation that ended before it was over. */
  readonly payment?: ModelPayment;
}

interface ModelPayment {
  readonly seq: number;
  readonly method: 'points' | 'card';
  readonly holdLeftMs: number;
  readonly isOpen: boolean;
}

/** One row of the journal, its payload read. */
export interface ModelEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly type: JournalRow['type'];
  readonly number: number;
  readonly userId: string;
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly expiresAtMs: number;
  readonly method?: 'points' | 'card';
  readonly holdLeftMs?: number;
  readonly paymentSeq?: number;
  readonly failure?: { readonly reason: string; readonly declineCode?: string };
  readonly idempotency?: { readonly key: string; readonly fingerprint: number };
}

/** A schedule after some prefix of its journal. Never changes. */
export interface ModelState {
  readonly seq: number;
  readonly lastAtMs: number;
  readonly lastNumber: number;
  /** By ordinal: number of the live reservation, or one of the two below. */
  readonly holders: readonly number[];
  readonly reservations: ReadonlyMap<number, ModelReservation>;
}

export const nobody = 0;
export const blocked = -1;

export interface ModelMark {
  readonly event: ModelEvent;
  readonly userId: string;
  readonly number: number;
}

/**
 * One schedule's journal and the state after each of its prefixes: the naive telling of what happened, made
 * from the stored JSON alone. Believes everything; what is wrong with it, checks/journal-checks.ts says.
 */
export class JournalModel {
  readonly events: ModelEvent[] = [];
  readonly #states: ModelState[];

  constructor(seatCount: number) {
    const holders = Array.from({ length: seatCount }, () => nobody);
    this.#states = [{ seq: 0, lastAtMs: 0, lastNumber: 0, holders, reservations: new Map() }];
  }

  /** Rows so far. */
  get length(): number {
    return this.events.length;
  }

  get latest(): ModelState {
    return this.at(this.length);
  }

  /** After the first `length` rows. */
  at(length: number): ModelState {
    const state = this.#states[length];
    if (state === undefined) throw new RangeError(`the journal has ${this.length} rows, not ${length}`);
    return state;
  }

  append(row: Pick<JournalRow, 'seq' | 'atMs' | 'type' | 'payload'>): void {
    const event: ModelEvent = { ...JSON.parse(row.payload), seq: row.seq, atMs: row.atMs, type: row.type };
    this.#states.push(after(this.latest, event));
    this.events.push(event);
  }

  /** The newest remembered request of this user and key in the first `length` rows. */
  mark(length: number, userId: string, key: string): ModelMark | undefined {
    for (let index = length - 1; index >= 0; index--) {
      const event = this.events[index] as ModelEvent;
      if (event.idempotency?.key !== key) continue;
      const mark = this.#markOf(event, length);
      if (mark?.userId === userId) return mark;
    }
    return undefined;
  }

  /** Every remembered request of the first `length` rows, oldest first. */
  marks(length: number): readonly ModelMark[] {
    return this.events
      .slice(0, length)
      .filter((event) => event.idempotency !== undefined)
      .map((event) => this.#markOf(event, length))
      .filter((mark) => mark !== undefined);
  }

  /** A request that pays keeps its key while it is under way; only `paid` is a success. */
  #markOf(event: ModelEvent, length: number): ModelMark | undefined {
    const reservation = this.at(length).reservations.get(event.number);
    if (reservation === undefined) return undefined;
    const isUnderWay = reservation.status === 'PAYING' && reservation.payment?.seq === event.seq;
    if (event.type === 'paying' && !isUnderWay) return undefined;
    return { event, userId: reservation.userId, number: event.number };
  }
}

function after(state: ModelState, event: ModelEvent): ModelState {
  const reservations = new Map(state.reservations);
  const holders = [...state.holders];
  const give = (seats: readonly number[], holder: number) => {
    for (const seat of seats) holders[seat] = holder;
  };
  const own = reservations.get(event.number);
  switch (event.type) {
    case 'held':
      give(event.seats, event.number);
      reservations.set(event.number, {
        number: event.number,
        userId: event.userId,
        seats: event.seats,
        totalMinor: event.totalMinor,
        heldAtMs: event.atMs,
        status: 'HELD',
        expiresAtMs: event.expiresAtMs,
        endedAtMs: 0,
        paidAtMs: 0,
        seq: event.seq,
      });
      break;
    case 'extended':
      if (own) reservations.set(own.number, { ...own, expiresAtMs: event.expiresAtMs, seq: event.seq });
      break;
    case 'cancelled':
    case 'expired': {
      if (own === undefined) break;
      give(own.seats, nobody);
      const status = event.type === 'expired' ? 'EXPIRED' : 'CANCELLED';
      reservations.set(own.number, { ...own, status, endedAtMs: event.atMs, seq: event.seq });
      break;
    }
    case 'paying': {
      if (own === undefined) break;
      const { method = 'points', holdLeftMs = 0, expiresAtMs, seq } = event;
      const payment = { seq, method, holdLeftMs, isOpen: true };
      reservations.set(own.number, { ...own, status: 'PAYING', expiresAtMs, payment, seq });
      break;
    }
    case 'paid': {
      if (own?.payment === undefined) break;
      const payment = { ...own.payment, isOpen: false };
      reservations.set(own.number, {
        ...own,
        status: 'PAID',
        paidAtMs: event.atMs,
        payment,
        seq: event.seq,
      });
      break;
    }
    case 'payment-failed': {
      if (own === undefined) break;
      const { payment: _payment, ...rest } = own;
      const isBack = event.expiresAtMs !== undefined;
      reservations.set(own.number, {
        ...rest,
        ...(isBack ? { status: 'HELD', expiresAtMs: event.expiresAtMs } : undefined),
        seq: event.seq,
      });
      break;
    }
    case 'blocked':
      give(event.seats, blocked);
      break;
    case 'unblocked':
      give(event.seats, nobody);
      break;
  }
  const lastNumber = event.type === 'held' ? event.number : state.lastNumber;
  return { seq: event.seq, lastAtMs: event.atMs, lastNumber, holders, reservations };
}

/** What ends by itself: open holds, and payments under way. */
export const openHolds = (state: ModelState): readonly ModelReservation[] =>
  [...state.reservations.values()].filter(({ status }) => status === 'HELD' || status === 'PAYING');

/** Reservations whose payment is not over, whatever has become of their seats. */
export const openPayments = (state: ModelState): readonly ModelReservation[] =>
  [...state.reservations.values()].filter(({ payment }) => payment?.isOpen === true);

export const isLiveStatus = (status: ModelReservation['status']): boolean =>
  status === 'HELD' || status === 'PAYING' || status === 'PAID';

interface ModelCounts {
  readonly free: number;
  readonly held: number;
  readonly paying: number;
  readonly paid: number;
  readonly blocked: number;
}

/** Everything that a count may say. */
export function countsOf(state: ModelState): ModelCounts {
  const seats = (matches: (holder: number) => boolean) => state.holders.filter(matches).length;
  const ofStatus = (status: ModelReservation['status']) =>
    seats((holder) => state.reservations.get(holder)?.status === status);
  return {
    free: seats((holder) => holder === nobody),
    held: ofStatus('HELD'),
    paying: ofStatus('PAYING'),
    paid: ofStatus('PAID'),
    blocked: seats((holder) => holder === blocked),
  };
}
