import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import { idempotencyWindowMs, type Memo } from '../../../../src/actors/allocator/idempotency-window.ts';
import type { OpenPayment } from '../../../../src/actors/allocator/open-payment.ts';
import { isLive } from '../../../../src/actors/allocator/reservation.ts';
import {
  finishRestore,
  type RestoredReservation,
  restoreBlockedSeats,
  restoreMemo,
  restoreReservation,
} from '../../../../src/actors/allocator/restore.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';

type EventOf<Type extends ScheduleEvent['type']> = Extract<ScheduleEvent, { type: Type }>;
type MarkedEvent = EventOf<'held' | 'extended' | 'paying' | 'paid'>;

/** What a store would keep of the events, written down without the code under test. */
export class EventProjection {
  readonly #reservations = new Map<number, RestoredReservation>();
  readonly #blocked = new Set<number>();
  #memos: { readonly user: string; readonly key: string; readonly memo: Memo }[] = [];
  #seq = 0;
  #lastAtMs = 0;

  apply(event: ScheduleEvent): void {
    this.#seq = event.seq;
    this.#lastAtMs = event.atMs;
    switch (event.type) {
      case 'held':
        this.#hold(event);
        break;
      case 'extended':
        this.#change(event, { expiresAtMs: event.expiresAtMs });
        break;
      case 'cancelled':
        this.#change(event, { status: 'CANCELLED', endedAtMs: event.atMs });
        break;
      case 'expired':
        this.#forgetPaymentMemo(event.number);
        this.#change(event, { status: 'EXPIRED', endedAtMs: event.atMs });
        break;
      case 'paying':
        this.#change(event, {
          status: 'PAYING',
          expiresAtMs: event.expiresAtMs,
          payment: { seq: event.seq, paidAtMs: 0, open: openPaymentOf(event) },
        });
        break;
      case 'paid':
        this.#forgetPaymentMemo(event.number);
        this.#change(event, {
          status: 'PAID',
          payment: { seq: event.paymentSeq, paidAtMs: event.atMs, open: undefined },
        });
        break;
      case 'payment-failed':
        this.#forgetPaymentMemo(event.number);
        this.#change(event, {
          payment: undefined,
          ...(event.expiresAtMs !== undefined && { status: 'HELD', expiresAtMs: event.expiresAtMs }),
        });
        break;
      case 'blocked':
        for (const seat of event.seats) this.#blocked.add(seat);
        break;
      case 'unblocked':
        for (const seat of event.seats) this.#blocked.delete(seat);
    }
    if ('idempotency' in event && event.idempotency !== undefined) this.#remember(event);
  }

  /** Into an empty state, less what a live one has forgotten, in no order but the one that restore asks for. */
  restoreInto(state: ScheduleState): void {
    const forgotten = this.#forgotten();
    for (const reservation of [...this.#reservations.values()].reverse()) {
      if (!forgotten.has(reservation.number)) restoreReservation(state, reservation);
    }
    restoreBlockedSeats(state, [...this.#blocked]);
    for (const { user, key, memo } of this.#memos) {
      if (memo.atMs + idempotencyWindowMs > this.#lastAtMs) restoreMemo(state, user, key, memo);
    }
    finishRestore(state, {
      seq: this.#seq,
      lastAtMs: this.#lastAtMs,
      lastReservationNumber: Math.max(0, ...this.#reservations.keys()),
    });
  }

  /**
   * Ended reservations stand in a line in the order in which they, and their payments, came to an end. Each
   * event that comes after takes those off its front whose 24 hours are over.
   */
  #forgotten(): ReadonlySet<number> {
    const line = [...this.#reservations.values()]
      .filter(({ status, payment, seq }) => !isLive(status) && payment === undefined && seq < this.#seq)
      .sort((a, b) => a.seq - b.seq);
    const kept = line.findIndex(({ endedAtMs }) => endedAtMs + idempotencyWindowMs > this.#lastAtMs);
    return new Set((kept === -1 ? line : line.slice(0, kept)).map(({ number }) => number));
  }

  #hold({ number, userId, seats, totalMinor, atMs, expiresAtMs, seq }: EventOf<'held'>): void {
    this.#reservations.set(number, {
      number,
      userId,
      seats,
      totalMinor,
      heldAtMs: atMs,
      status: 'HELD',
      expiresAtMs,
      endedAtMs: 0,
      seq,
      payment: undefined,
    });
  }

  #change(
    event: { readonly number: number; readonly seq: number },
    fields: Partial<RestoredReservation>,
  ): void {
    this.#reservations.set(event.number, { ...this.#at(event.number), ...fields, seq: event.seq });
  }

  #at(number: number): RestoredReservation {
    return this.#reservations.get(number) as RestoredReservation;
  }

  #remember(event: MarkedEvent): void {
    const { type: kind, seq, atMs, number } = event;
    const { key, fingerprint } = event.idempotency as NonNullable<typeof event.idempotency>;
    const expiresAtMs = event.type === 'paid' ? 0 : event.expiresAtMs;
    const { userId: user } = this.#at(number);
    this.#memos.push({ user, key, memo: { kind, seq, atMs, fingerprint, number, expiresAtMs } });
  }

  /** The memo that keeps the key of a payment under way is the one of its `paying` event. */
  #forgetPaymentMemo(number: number): void {
    const { payment } = this.#at(number);
    this.#memos = this.#memos.filter(({ memo }) => memo.seq !== payment?.seq);
  }
}

const openPaymentOf = ({ method, holdLeftMs, idempotency }: EventOf<'paying'>): OpenPayment => ({
  method,
  holdLeftMs,
  idempotency,
});
