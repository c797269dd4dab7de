import Stripe from 'stripe';
import { codeOf } from './code-word.ts';
import { ExchangeFailed } from './one-attempt-client.ts';

/**
 * Why a call of Stripe came to no object, sorted by what is certain. Texts are made of statuses and codes
 * alone: a message of Stripe's or of the network may carry a key or a card.
 */
export type CallFault =
  /** 402: looked at, and refused by the card's bank or by Stripe. Kept under the idempotency key. */
  | { readonly kind: 'card-refused'; readonly code: string }
  /** 400, 404: refused for a parameter, or for what the account may do. */
  | {
      readonly kind: 'request-refused';
      readonly code: string;
      readonly parameter: string | undefined;
      /** Another card might have been taken: the buyer's matter, and nobody else's. */
      readonly isOfCard: boolean;
    }
  /** The idempotency key belongs to a request with other parameters. */
  | { readonly kind: 'key-taken' }
  /** A request with this idempotency key is being worked on. */
  | { readonly kind: 'key-in-use' }
  /** 401, 403, 429: turned away at the door. */
  | { readonly kind: 'turned-away'; readonly reason: string }
  /** No byte of the request left this process. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** Anything may have happened. */
  | { readonly kind: 'unclear'; readonly reason: string };

/** Whether it is the gateway's fault, and counts against the breaker. */
export const isGatewayFailure = ({ kind }: CallFault): boolean =>
  kind === 'turned-away' || kind === 'not-sent' || kind === 'unclear';

export function callFaultOf(error: unknown): CallFault {
  if (!(error instanceof Stripe.errors.StripeError)) return { kind: 'unclear', reason: 'unreadable answer' };
  const { detail } = error;
  if ((detail as unknown) instanceof ExchangeFailed)
    return exchangeFault(detail as unknown as ExchangeFailed);
  const status = error.statusCode;
  const code = codeOf(error.code);
  if (error.rawType === 'idempotency_error') return { kind: 'key-taken' };
  const reason = `status ${status ?? 'unreadable'}${code === undefined ? '' : `, ${code}`}`;
  // lock_timeout has the same status, but comes from within a call that had begun.
  if (status === 401 || status === 403 || (status === 429 && code !== 'lock_timeout')) {
    return { kind: 'turned-away', reason };
  }
  if (!refusalTypes.includes(error.rawType)) return { kind: 'unclear', reason };
  if (status === 402) return { kind: 'card-refused', code: codeOf(error.decline_code) ?? code ?? 'declined' };
  if (status === 400 || status === 404) {
    // Said of the rate with this status as well (the SDK knows both).
    if (code === 'rate_limit') return { kind: 'turned-away', reason };
    const { param: parameter } = error;
    const isOfCard = error.rawType === 'card_error' || /^(payment_method|card)(\[|$)/.test(parameter ?? '');
    return { kind: 'request-refused', code: code ?? 'invalid_request', parameter, isOfCard };
  }
  return status === 409 && code === 'idempotency_key_in_use'
    ? { kind: 'key-in-use' }
    : { kind: 'unclear', reason };
}

/** A refusal is Stripe's own only with one of these: anybody on the way may answer 400. */
const refusalTypes: readonly (string | undefined)[] = ['card_error', 'invalid_request_error'];

const exchangeFault = ({ reason, mayHaveArrived }: ExchangeFailed): CallFault => ({
  kind: mayHaveArrived ? 'unclear' : 'not-sent',
  reason,
});
