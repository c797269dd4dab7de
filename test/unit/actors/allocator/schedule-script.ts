import { assert } from '../../../../src/actors/allocator/assert.ts';
import type {
  BlockCommand,
  CancelCommand,
  Command,
  ExpireCommand,
  ExtendCommand,
  HoldBestCommand,
  HoldCommand,
  PayCommand,
  SettlePaymentCommand,
  UnblockCommand,
} from '../../../../src/actors/allocator/command.ts';
import { type Decision, decide, isRejection } from '../../../../src/actors/allocator/decide.ts';
import type { IdempotencyMark, ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import { evolve } from '../../../../src/actors/allocator/evolve.ts';
import type {
  IdempotencyKey,
  ReservationNumber,
  ScheduleId,
  UserId,
} from '../../../../src/actors/allocator/ids.ts';
import type { PaymentMethod } from '../../../../src/actors/allocator/payment.ts';
import type { SeatMap } from '../../../../src/actors/allocator/seat-map.ts';
import {
  emptyState,
  type ScheduleState,
  type ScheduleTerms,
} from '../../../../src/actors/allocator/state.ts';

/** Terms of a schedule on sale without limits or rules; a test changes what it is about. */
export const termsOf = (map: SeatMap, changed: Partial<ScheduleTerms> = {}): ScheduleTerms => ({
  scheduleId: 7 as ScheduleId,
  map,
  priceMinorOfCategory: map.categories.map((_, index) => 1_000 * (index + 1)),
  onSaleAtMs: 0,
  seatsPerUserMax: Number.POSITIVE_INFINITY,
  seatsPerReservationMax: 10,
  orphanRule: false,
  holdTtlMs: 300_000,
  holdTotalMaxMs: 900_000,
  paymentMaxMs: 120_000,
  ...changed,
});

/** Decides and evolves one command after the other, as the actor does. */
export class ScheduleScript {
  readonly state: ScheduleState;
  readonly events: ScheduleEvent[] = [];

  constructor(map: SeatMap, changed: Partial<ScheduleTerms> = {}) {
    this.state = emptyState(termsOf(map, changed));
  }

  /** Runs commands that must not be refused: what a test takes as given. */
  given(commands: readonly Command[]): this {
    for (const command of commands) {
      const decision = this.run(command);
      assert(!isRejection(decision), `given, but refused: ${JSON.stringify([command, decision])}`);
    }
    return this;
  }

  /** Ends due holds first, as every command of an actor does. */
  run(command: Command): Decision {
    while (this.state.expiries.nextExpiryMs <= command.nowMs) {
      this.#apply(decide(this.state, { kind: 'expire', nowMs: command.nowMs }));
    }
    const decision = decide(this.state, command);
    this.#apply(decision);
    return decision;
  }

  #apply(decision: Decision): void {
    if (isRejection(decision)) return;
    for (const event of decision) evolve(this.state, event);
    this.events.push(...decision);
  }
}

export const user = (name: string): UserId => name as UserId;
export const reservationNumber = (number: number): ReservationNumber => number as ReservationNumber;
export const mark = (key: string, fingerprint = 1): IdempotencyMark => ({
  key: key as IdempotencyKey,
  fingerprint,
});

export const hold = (
  nowMs: number,
  userId: string,
  seatIds: readonly string[],
  idempotency?: IdempotencyMark,
): HoldCommand => ({
  kind: 'hold',
  nowMs,
  userId: user(userId),
  seatIds,
  ...(idempotency === undefined ? undefined : { idempotency }),
});

export const holdBest = (
  nowMs: number,
  userId: string,
  quantity: number,
  wanted: { readonly category?: string; readonly section?: string; readonly adjacent?: boolean } = {},
): HoldBestCommand => ({
  kind: 'hold-best',
  nowMs,
  userId: user(userId),
  quantity,
  adjacent: true,
  ...wanted,
});

export const extend = (
  nowMs: number,
  userId: string,
  number: number,
  idempotency?: IdempotencyMark,
): ExtendCommand => ({
  kind: 'extend',
  nowMs,
  userId: user(userId),
  number: reservationNumber(number),
  ...(idempotency === undefined ? undefined : { idempotency }),
});

export const cancel = (nowMs: number, userId: string, number: number): CancelCommand => ({
  kind: 'cancel',
  nowMs,
  userId: user(userId),
  number: reservationNumber(number),
});

export const pay = (
  nowMs: number,
  userId: string,
  number: number,
  idempotency?: IdempotencyMark,
  method: PaymentMethod = 'points',
): PayCommand => ({
  kind: 'pay',
  nowMs,
  userId: user(userId),
  number: reservationNumber(number),
  method,
  ...(idempotency === undefined ? undefined : { idempotency }),
});

export const settle = (
  nowMs: number,
  number: number,
  paymentSeq: number,
  result: SettlePaymentCommand['result'],
): SettlePaymentCommand => ({
  kind: 'settle-payment',
  nowMs,
  number: reservationNumber(number),
  paymentSeq,
  result,
});

export const approved = { reason: 'approved' } as const;
export const declined = { reason: 'declined', declineCode: 'card_declined' } as const;
export const refunded = { reason: 'refunded' } as const;

export const expire = (nowMs: number): ExpireCommand => ({ kind: 'expire', nowMs });

export const block = (nowMs: number, seatIds: readonly string[]): BlockCommand => ({
  kind: 'block',
  nowMs,
  seatIds,
});

export const unblock = (nowMs: number, seatIds: readonly string[]): UnblockCommand => ({
  kind: 'unblock',
  nowMs,
  seatIds,
});
