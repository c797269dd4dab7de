import type { IdempotencyMark } from '../allocator/event.ts';
import type { ReservationRef, UserId } from '../allocator/ids.ts';

/** A wish to pay. The amount is the reservation's own. */
export type PaymentRequest = {
  readonly ref: ReservationRef;
  readonly userId: UserId;
  readonly idempotency?: IdempotencyMark;
} & ({ readonly method: 'points' } | { readonly method: 'card'; readonly cardToken: string });
