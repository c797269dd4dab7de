import type { IdempotencyKey, ReservationNumber, UserId } from './ids.ts';

/**
 * What happened to a schedule. Events are the journal: their JSON is stored, replayed and published, so a
 * field is never renamed or given another meaning. `seq` is gapless from 1 per schedule (I6).
 */
interface EventBase {
  readonly seq: number;
  readonly atMs: number;
}

/** The mark of the request that caused an event, when its sender may ask for the same answer again (I8). */
export interface IdempotencyMark {
  readonly key: IdempotencyKey;
  /** 53-bit hash of the meaning of the request's body. */
  readonly fingerprint: number;
}

export interface HeldEvent extends EventBase {
  readonly type: 'held';
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly expiresAtMs: number;
  readonly idempotency?: IdempotencyMark;
}

export interface ExtendedEvent extends EventBase {
  readonly type: 'extended';
  readonly number: ReservationNumber;
  readonly expiresAtMs: number;
  readonly idempotency?: IdempotencyMark;
}

export interface CancelledEvent extends EventBase {
  readonly type: 'cancelled';
  readonly number: ReservationNumber;
}

export interface ExpiredEvent extends EventBase {
  readonly type: 'expired';
  readonly number: ReservationNumber;
}

interface BlockedEvent extends EventBase {
  readonly type: 'blocked';
  readonly seats: readonly number[];
}

interface UnblockedEvent extends EventBase {
  readonly type: 'unblocked';
  readonly seats: readonly number[];
}

export type ScheduleEvent =
  | HeldEvent
  | ExtendedEvent
  | CancelledEvent
  | ExpiredEvent
  | BlockedEvent
  | UnblockedEvent;

export type ScheduleEventType = ScheduleEvent['type'];
