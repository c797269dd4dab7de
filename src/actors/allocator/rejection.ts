/**
 * Why a command was refused: a closed union of values. A refusal changes nothing and is not remembered.
 * Codes are the public ones; http/error-response.ts maps each to its status, once.
 */
export type Rejection =
  | { readonly code: 'not-found' }
  | { readonly code: 'invalid-request'; readonly path: string; readonly message: string }
  | { readonly code: 'seats-taken'; readonly conflictingSeatIds: readonly string[] }
  | { readonly code: 'not-enough-adjacent-seats' }
  | { readonly code: 'orphan-seat'; readonly seatIds: readonly string[] }
  | { readonly code: 'seat-limit-exceeded'; readonly limit: number }
  | { readonly code: 'not-on-sale'; readonly onSaleAtMs: number }
  | { readonly code: 'sold-out' }
  | { readonly code: 'already-paid' }
  | { readonly code: 'already-cancelled' }
  | { readonly code: 'payment-in-progress' }
  | { readonly code: 'hold-expired' }
  | { readonly code: 'unknown-seats'; readonly seatIds: readonly string[] }
  | { readonly code: 'duplicate-seats'; readonly seatIds: readonly string[] }
  | { readonly code: 'idempotency-key-reused' }
  | { readonly code: 'hold-limit-reached' }
  | { readonly code: 'insufficient-points'; readonly balance: number; readonly requiredMinor: number }
  | { readonly code: 'payment-declined'; readonly declineCode: string };

export type RejectionCode = Rejection['code'];
