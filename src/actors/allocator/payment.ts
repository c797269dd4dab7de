/** How a reservation is paid: from the user's points, one point a minor unit, or by a card at the gateway. */
export const paymentMethods = ['points', 'card'] as const;
export type PaymentMethod = (typeof paymentMethods)[number];

/** A hold that a payment gives back has this long at least, so that its user can try once more. */
export const holdFloorMs = 30_000;

/** Why a payment came to nothing. */
export type PaymentFailure =
  | { readonly reason: 'insufficient-points' }
  /** By the gateway, with its own word for the reason. */
  | { readonly reason: 'declined'; readonly declineCode: string }
  /** It was never tried: the process died first, or the gateway could not be asked. */
  | { readonly reason: 'cancelled' }
  /** Approved when the seats were gone, and given back. */
  | { readonly reason: 'refunded' };
