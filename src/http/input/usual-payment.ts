import { parseReservationId } from '../../actors/allocator/ids.ts';
import type { PayRequest } from './request-schemas.ts';

/**
 * The body of a payment by points, read without the schema; a card waits for its gateway, and the schema is
 * nothing beside that. Undefined for anything else, right or wrong: that is the schema's to say. What is let
 * through here is what the schema makes of it; a test holds the two together.
 */
export function readUsualPayment(input: unknown): PayRequest | undefined {
  if (typeof input !== 'object' || input === null || Object.keys(input).length !== 2) return undefined;
  const { reservationId, method } = input as { readonly reservationId?: unknown; readonly method?: unknown };
  if (method !== 'points' || typeof reservationId !== 'string') return undefined;
  const ref = parseReservationId(reservationId);
  return ref && { reservationId: ref, method };
}
