import type { HeldEvent, ScheduleEvent, ScheduleEventType } from '../../actors/allocator/event.ts';
import {
  formatPaymentId,
  formatReservationId,
  type ScheduleId,
  type UserId,
} from '../../actors/allocator/ids.ts';

/**
 * Events as the world reads them: CloudEvents 1.0 in Kafka's binary mode, with the API's names and forms. Each
 * message stands by itself: it names the reservation's user, seats and price, which the journal tells only once.
 *
 * The marks of requests (I8) stay here: they are between a client and us.
 */
export interface EventMessage {
  /** The schedule: all that happens to it is in one partition, in its order. */
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string | Buffer>>;
  /** Milliseconds since the epoch. */
  readonly timestamp: string;
}

/** What a message needs of the schedule. */
export interface ScheduleFacts {
  /** By ordinal. */
  readonly seatIds: readonly string[];
  readonly currency: string;
}

/** What never changes about a reservation. */
export interface ReservationFacts {
  readonly userId: UserId;
  /** Ordinals. */
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly heldAtMs: number;
}

/** Upper bound of what a message is larger than its value, in a record batch: key, headers, lengths. */
export const messageOverheadBytes = 300;

/** Bytes, so that kafkajs need not make them anew for each message. */
const typeNames = {
  held: Buffer.from('usher.reservation.held'),
  extended: Buffer.from('usher.reservation.extended'),
  paying: Buffer.from('usher.reservation.paying'),
  paid: Buffer.from('usher.reservation.paid'),
  'payment-failed': Buffer.from('usher.reservation.payment-failed'),
  cancelled: Buffer.from('usher.reservation.cancelled'),
  expired: Buffer.from('usher.reservation.expired'),
  blocked: Buffer.from('usher.seats.blocked'),
  unblocked: Buffer.from('usher.seats.unblocked'),
} as const satisfies Record<ScheduleEventType, Buffer>;

const seatReserved = Buffer.from('usher.seat.reserved');
const specVersion = Buffer.from('1.0');
const source = Buffer.from('usher');
const contentType = Buffer.from('application/json');

/** Events of a reservation, as opposed to those of seats alone. */
export type ReservationEvent = Exclude<ScheduleEvent, { readonly seats: readonly number[] }> | HeldEvent;

export const isReservationEvent = (event: ScheduleEvent): event is ReservationEvent => 'number' in event;

export const heldFacts = ({ userId, seats, totalMinor, atMs }: HeldEvent): ReservationFacts => ({
  userId,
  seats,
  totalMinor,
  heldAtMs: atMs,
});

/** For reservation-topic. Throws when the facts do not fit the event. */
export function reservationMessage(
  scheduleId: ScheduleId,
  event: ReservationEvent,
  schedule: ScheduleFacts,
  { userId, seats, totalMinor, heldAtMs }: ReservationFacts,
  nowMs: number,
): EventMessage {
  const { seq, number } = event;
  const reservationId = formatReservationId(scheduleId, number);
  return message(scheduleId, event, typeNames[event.type], nowMs, reservationId, {
    scheduleId,
    seq,
    reservationId,
    userId,
    seatIds: seatIdsOf(seats, schedule),
    totalMinor,
    currency: schedule.currency,
    heldAt: timestamp(heldAtMs),
    ...particulars(scheduleId, event),
    at: timestamp(event.atMs),
  });
}

/** For reservation-topic. Throws when the facts do not fit the event. */
export function seatsMessage(
  scheduleId: ScheduleId,
  event: Exclude<ScheduleEvent, ReservationEvent>,
  schedule: ScheduleFacts,
  nowMs: number,
): EventMessage {
  const seatIds = seatIdsOf(event.seats, schedule);
  const data = { scheduleId, seq: event.seq, seatIds, at: timestamp(event.atMs) };
  return message(scheduleId, event, typeNames[event.type], nowMs, undefined, data);
}

/** For seat-reserved-topic. Throws when the facts do not fit the event. */
export function seatReservedMessage(
  scheduleId: ScheduleId,
  event: HeldEvent,
  schedule: ScheduleFacts,
  nowMs: number,
): EventMessage {
  const { seq, number, userId, seats, totalMinor, expiresAtMs } = event;
  const reservationId = formatReservationId(scheduleId, number);
  return message(scheduleId, event, seatReserved, nowMs, reservationId, {
    scheduleId,
    seq,
    reservationId,
    userId,
    seatIds: seatIdsOf(seats, schedule),
    totalMinor,
    currency: schedule.currency,
    expiresAt: timestamp(expiresAtMs),
  });
}

/** What an event adds to what is known of its reservation. */
function particulars(scheduleId: ScheduleId, event: ReservationEvent): object {
  switch (event.type) {
    case 'held':
    case 'extended':
      return { expiresAt: timestamp(event.expiresAtMs) };
    case 'paying':
      return {
        paymentId: formatPaymentId(scheduleId, event.number, event.seq),
        method: event.method,
        expiresAt: timestamp(event.expiresAtMs),
      };
    case 'paid':
      return { paymentId: formatPaymentId(scheduleId, event.number, event.paymentSeq) };
    case 'payment-failed':
      return {
        paymentId: formatPaymentId(scheduleId, event.number, event.paymentSeq),
        ...event.failure,
        // The hold is back until then; absent: the reservation had ended before.
        ...(event.expiresAtMs !== undefined && { expiresAt: timestamp(event.expiresAtMs) }),
      };
    case 'cancelled':
    case 'expired':
      return {};
  }
}

function message(
  scheduleId: ScheduleId,
  { seq, atMs }: ScheduleEvent,
  type: Buffer,
  nowMs: number,
  subject: string | undefined,
  data: object,
): EventMessage {
  return {
    key: String(scheduleId),
    value: Buffer.from(JSON.stringify(data)),
    headers: {
      ce_specversion: specVersion,
      ce_id: `${scheduleId}-${seq}`,
      ce_type: type,
      ce_source: source,
      ce_time: timestamp(atMs),
      ...(subject !== undefined && { ce_subject: subject }),
      'content-type': contentType,
    },
    // A schedule's time does not follow a clock that is set back, and brokers refuse what is an hour ahead of
    // theirs: one such schedule would hold up all others. ce_time is the event's own in any case.
    timestamp: String(Math.min(atMs, nowMs)),
  };
}

function seatIdsOf(seats: readonly number[], { seatIds }: ScheduleFacts): string[] {
  return seats.map((seat) => {
    const seatId = seatIds[seat];
    if (seatId === undefined)
      throw new Error(`the hall has ${seatIds.length} seats, and none of ordinal ${seat}`);
    return seatId;
  });
}

/** RFC 3339, UTC, with milliseconds. */
const timestamp = (atMs: number): string => new Date(atMs).toISOString();
