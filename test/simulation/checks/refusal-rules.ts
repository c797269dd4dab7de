import type { Intent } from '../../../src/actors/allocator/command.ts';
import type { Rejection } from '../../../src/actors/allocator/rejection.ts';
import { bestRun, eligibleSeats } from '../model/best-available.ts';
import { strandedBy } from '../model/hall.ts';
import {
  blocked,
  isLiveStatus,
  type ModelReservation,
  type ModelState,
  nobody,
} from '../model/journal-model.ts';
import { dayMs, type Sale } from '../world.ts';
import { liveSeats } from './journal-checks.ts';

/** A durable moment at which an answer may have been decided, and what bounds the time of day then. */
export interface Moment {
  readonly state: ModelState;
  /** Earliest time that the clock may have shown. */
  readonly earliestMs: number;
  /** The latest time that any clock had ever shown by then. */
  readonly latestWallMs: number;
  readonly holdTotalMaxMs: number;
  readonly paymentMaxMs: number;
}

/** Whether the refusal says the truth about the moment. Keys are another matter (key-rules.ts). */
export function isTrueRefusal(sale: Sale, moment: Moment, intent: Intent, rejection: Rejection): boolean {
  switch (intent.kind) {
    case 'hold':
      return isTrueOfHold(sale, moment, intent, rejection);
    case 'hold-best':
      return isTrueOfHoldBest(sale, moment, intent, rejection);
    case 'extend':
      return isTrueOfExtend(moment, intent, rejection);
    case 'cancel':
      return isTrueOfCancel(moment, intent, rejection);
    case 'block':
    case 'unblock':
      return isTrueOfBlock(sale, moment, intent, rejection);
    case 'pay':
      return isTrueOfPay(moment, intent, rejection);
    case 'settle-payment':
    case 'expire':
      return false;
  }
}

function isTrueOfHold(
  sale: Sale,
  moment: Moment,
  intent: Extract<Intent, { kind: 'hold' }>,
  rejection: Rejection,
): boolean {
  const { state } = moment;
  const { known, unknown, repeated } = readSeats(sale, intent.seatIds);
  switch (rejection.code) {
    case 'unknown-seats':
      return isSame(rejection.seatIds, unknown);
    case 'duplicate-seats':
      return isSame(rejection.seatIds, repeated);
    case 'seats-taken': {
      const taken = known.filter((seat) => state.holders[seat] !== nobody);
      return isSame(rejection.conflictingSeatIds, seatIds(sale, taken));
    }
    case 'orphan-seat': {
      const isFree = (seat: number) => state.holders[seat] === nobody;
      const stranded = seatIds(sale, strandedBy(sale.hall, isFree, known));
      return sale.orphanRule && known.every(isFree) && isSame(rejection.seatIds, stranded);
    }
    case 'seat-limit-exceeded':
      return (
        isOverLimit(sale, state, intent.userId, known.length) && rejection.limit === sale.seatsPerUserMax
      );
    case 'not-on-sale':
      return isNotOnSale(sale, moment) && rejection.onSaleAtMs === sale.onSaleAtMs;
    default:
      return false;
  }
}

function isTrueOfHoldBest(
  sale: Sale,
  moment: Moment,
  intent: Extract<Intent, { kind: 'hold-best' }>,
  rejection: Rejection,
): boolean {
  const { state } = moment;
  const isFree = (seat: number) => state.holders[seat] === nobody;
  const eligible = eligibleSeats(sale.hall, isFree, intent).length;
  switch (rejection.code) {
    case 'invalid-request':
      return !sale.hall.seats.some((seat) => seat.category === intent.category);
    case 'sold-out':
      return eligible === 0;
    case 'not-enough-adjacent-seats': {
      const isEnough = intent.adjacent
        ? bestRun(sale.hall, isFree, intent) !== undefined
        : eligible >= intent.quantity;
      return eligible > 0 && !isEnough;
    }
    case 'seat-limit-exceeded':
      return (
        isOverLimit(sale, state, intent.userId, intent.quantity) && rejection.limit === sale.seatsPerUserMax
      );
    case 'not-on-sale':
      return isNotOnSale(sale, moment) && rejection.onSaleAtMs === sale.onSaleAtMs;
    default:
      return false;
  }
}

function isTrueOfExtend(
  moment: Moment,
  intent: Extract<Intent, { kind: 'extend' }>,
  rejection: Rejection,
): boolean {
  const own = ownReservation(moment.state, intent);
  switch (rejection.code) {
    case 'not-found':
      return own === undefined || mayBeForgotten(moment, own);
    case 'hold-limit-reached':
      return own?.status === 'HELD' && own.expiresAtMs >= own.heldAtMs + moment.holdTotalMaxMs;
    default:
      return isRefusedFor(own?.status, rejection);
  }
}

function isTrueOfCancel(
  moment: Moment,
  intent: Extract<Intent, { kind: 'cancel' }>,
  rejection: Rejection,
): boolean {
  const own = ownReservation(moment.state, intent);
  switch (rejection.code) {
    case 'not-found':
      return own === undefined || mayBeForgotten(moment, own);
    default:
      return own?.status !== 'CANCELLED' && isRefusedFor(own?.status, rejection);
  }
}

/** At S0. What comes of a payment that has begun, payment-checks.ts judges. */
function isTrueOfPay(
  moment: Moment,
  intent: Extract<Intent, { kind: 'pay' }>,
  rejection: Rejection,
): boolean {
  const own = ownReservation(moment.state, intent);
  if (rejection.code === 'not-found') return own === undefined || mayBeForgotten(moment, own);
  if (rejection.code !== 'hold-limit-reached') return isRefusedFor(own?.status, rejection);
  const latestMs = (own?.heldAtMs ?? 0) + moment.holdTotalMaxMs + moment.paymentMaxMs;
  return own?.status === 'HELD' && moment.latestWallMs >= latestMs;
}

/** Why something that is no hold can't be changed. */
function isRefusedFor(status: ModelReservation['status'] | undefined, { code }: Rejection): boolean {
  switch (code) {
    case 'hold-expired':
      return status === 'EXPIRED';
    case 'already-cancelled':
      return status === 'CANCELLED';
    case 'already-paid':
      return status === 'PAID';
    case 'payment-in-progress':
      return status === 'PAYING';
    default:
      return false;
  }
}

function isTrueOfBlock(
  sale: Sale,
  { state }: Moment,
  intent: Extract<Intent, { kind: 'block' | 'unblock' }>,
  rejection: Rejection,
): boolean {
  if (rejection.code !== 'seats-taken' || intent.kind !== 'block') return false;
  const { known } = readSeats(sale, intent.seatIds);
  const held = known.filter((seat) => (state.holders[seat] ?? blocked) > nobody);
  return isSame(rejection.conflictingSeatIds, seatIds(sale, held));
}

/** Ended reservations leave memory after 24 h. */
export const mayBeForgotten = (moment: Moment, reservation: ModelReservation): boolean =>
  !isLiveStatus(reservation.status) && reservation.endedAtMs + dayMs <= moment.latestWallMs;

export function ownReservation(
  state: ModelState,
  intent: { readonly number: number; readonly userId: string },
): ModelReservation | undefined {
  const reservation = state.reservations.get(intent.number);
  return reservation?.userId === intent.userId ? reservation : undefined;
}

/** Ordinals of the seats that exist, and the ids that don't or that come twice, each once. */
export function readSeats(
  sale: Sale,
  ids: readonly string[],
): {
  readonly known: readonly number[];
  readonly unknown: readonly string[];
  readonly repeated: readonly string[];
} {
  const ordinals = ids.map((id) => sale.hall.seats.findIndex((seat) => seat.seatId === id));
  const repeated = ids.filter((id, index) => ids.indexOf(id) !== index);
  return {
    known: ordinals.filter((ordinal) => ordinal !== -1),
    unknown: [...new Set(ids.filter((_, index) => ordinals[index] === -1))],
    repeated: [...new Set(repeated)],
  };
}

const seatIds = (sale: Sale, seats: readonly number[]): readonly string[] =>
  seats.map((seat) => sale.hall.seats[seat]?.seatId ?? `${seat}`);

/** A refusal that names nothing is no reason. */
const isSame = (named: readonly string[], actual: readonly string[]): boolean =>
  named.length > 0 && named.join(' ') === actual.join(' ');

const isOverLimit = (sale: Sale, state: ModelState, userId: string, seatCount: number): boolean =>
  liveSeats(state, userId) + seatCount > sale.seatsPerUserMax;

const isNotOnSale = (sale: Sale, { earliestMs, state }: Moment): boolean =>
  Math.max(earliestMs, state.lastAtMs) < sale.onSaleAtMs;
