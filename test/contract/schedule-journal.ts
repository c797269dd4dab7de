import type { ScheduleEvent } from '../../src/actors/allocator/event.ts';
import type {
  IdempotencyKey,
  ReservationNumber,
  ScheduleId,
  ShardId,
  UserId,
} from '../../src/actors/allocator/ids.ts';
import type { PaymentFailure, PaymentMethod } from '../../src/actors/allocator/payment.ts';
import { encodeEvent } from '../../src/actors/runtime/event-codec.ts';
import type { JournalRow } from '../../src/actors/runtime/ports.ts';

export const testStartMs = 1_790_000_000_000;

interface HoldOptions {
  readonly userId?: string;
  readonly seats?: readonly number[];
  readonly totalMinor?: number;
  readonly expiresAtMs?: number;
  readonly mark?: { readonly key: string; readonly fingerprint: number };
}

interface PayOptions {
  readonly method?: PaymentMethod;
  readonly holdLeftMs?: number;
  readonly mark?: HoldOptions['mark'];
}

interface FailOptions {
  readonly failure?: PaymentFailure;
  readonly expiresAtMs?: number;
}

type EventFields = ScheduleEvent extends infer E
  ? E extends ScheduleEvent
    ? Omit<E, 'seq' | 'atMs'>
    : never
  : never;

/**
 * Writes the journal of one schedule for a test: numbers the events and the reservations, and keeps the time.
 * It does not judge: a test may write what no actor would decide.
 */
export class ScheduleJournal {
  readonly scheduleId: ScheduleId;
  readonly shardId: ShardId;
  readonly events: ScheduleEvent[] = [];
  nowMs = testStartMs;
  #lastNumber = 0;
  #rowsTaken = 0;

  constructor(scheduleId: number, shardId: number) {
    this.scheduleId = scheduleId as ScheduleId;
    this.shardId = shardId as ShardId;
  }

  hold({
    userId = 'ann',
    seats = [0],
    totalMinor = 5000,
    expiresAtMs,
    mark,
  }: HoldOptions = {}): ReservationNumber {
    this.#lastNumber += 1;
    const number = this.#lastNumber as ReservationNumber;
    this.append({
      type: 'held',
      number,
      userId: userId as UserId,
      seats,
      totalMinor,
      expiresAtMs: expiresAtMs ?? this.nowMs + 300_000,
      ...idempotency(mark),
    });
    return number;
  }

  extend(number: ReservationNumber, expiresAtMs: number, mark?: HoldOptions['mark']): void {
    this.append({ type: 'extended', number, expiresAtMs, ...idempotency(mark) });
  }

  /** S0; the seq of its event, which names the payment. */
  pay(number: ReservationNumber, { method = 'points', holdLeftMs = 200_000, mark }: PayOptions = {}): number {
    const expiresAtMs = this.nowMs + 120_000;
    this.append({ type: 'paying', number, method, holdLeftMs, expiresAtMs, ...idempotency(mark) });
    return this.events.length;
  }

  /** S2 of a payment that was approved; `mark` is the one that it began with. */
  paid(number: ReservationNumber, paymentSeq: number, mark?: HoldOptions['mark']): void {
    this.append({ type: 'paid', number, paymentSeq, ...idempotency(mark) });
  }

  /** S2 of a payment that came to nothing. Without `expiresAtMs` the reservation has ended before. */
  failPayment(
    number: ReservationNumber,
    paymentSeq: number,
    { failure = { reason: 'cancelled' }, expiresAtMs }: FailOptions = {},
  ): void {
    const back = expiresAtMs === undefined ? {} : { expiresAtMs };
    this.append({ type: 'payment-failed', number, paymentSeq, failure, ...back });
  }

  cancel(number: ReservationNumber): void {
    this.append({ type: 'cancelled', number });
  }

  expire(number: ReservationNumber): void {
    this.append({ type: 'expired', number });
  }

  block(...seats: number[]): void {
    this.append({ type: 'blocked', seats });
  }

  unblock(...seats: number[]): void {
    this.append({ type: 'unblocked', seats });
  }

  append(fields: EventFields): void {
    this.events.push({ ...fields, seq: this.events.length + 1, atMs: this.nowMs } as ScheduleEvent);
  }

  /** All rows so far. */
  rows(): JournalRow[] {
    return this.events.map((event) => this.#row(event));
  }

  /** The rows since the last call: what the next batch carries. */
  newRows(): JournalRow[] {
    const rows = this.events.slice(this.#rowsTaken).map((event) => this.#row(event));
    this.#rowsTaken = this.events.length;
    return rows;
  }

  #row(event: ScheduleEvent): JournalRow {
    return {
      scheduleId: this.scheduleId,
      shardId: this.shardId,
      seq: event.seq,
      atMs: event.atMs,
      type: event.type,
      payload: encodeEvent(event),
    };
  }
}

function idempotency(mark: HoldOptions['mark']) {
  if (mark === undefined) return {};
  return { idempotency: { key: mark.key as IdempotencyKey, fingerprint: mark.fingerprint } };
}
