import type { SandboxIntent, SandboxRefund } from './sandbox-account.ts';

/** What Stripe's answers look like, as far as anybody reads them. */
export interface SandboxReply {
  readonly status: number;
  readonly body: string;
}

export function intentReply(intent: SandboxIntent): SandboxReply {
  return { status: 200, body: JSON.stringify(intentShape(intent)) };
}

/** @param intents newest first. */
export function searchReply(intents: readonly SandboxIntent[], limit: number): SandboxReply {
  const result = {
    object: 'search_result',
    url: '/v1/payment_intents/search',
    data: intents.slice(0, limit).map(intentShape),
    has_more: intents.length > limit,
    next_page: null,
  };
  return { status: 200, body: JSON.stringify(result) };
}

export const refundReply = (refund: SandboxRefund): SandboxReply => ({
  status: 200,
  body: JSON.stringify({
    id: refund.refundId,
    object: 'refund',
    amount: refund.amount,
    currency: refund.currency,
    payment_intent: refund.intentId,
    metadata: refund.metadata,
    status: 'succeeded',
  }),
});

interface StripeError {
  readonly type: 'invalid_request_error' | 'idempotency_error' | 'card_error' | 'api_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
}

export const errorReply = (status: number, error: StripeError): SandboxReply => ({
  status,
  body: JSON.stringify({ error }),
});

/** For a parameter, or for what it names. */
export const refusedParameter = (param: string, code: string, message: string): SandboxReply =>
  errorReply(400, { type: 'invalid_request_error', code, param, message });

export const declineReply = (intent: SandboxIntent, declineCode: string): SandboxReply => ({
  status: 402,
  body: JSON.stringify({
    error: {
      type: 'card_error',
      code: 'card_declined',
      decline_code: declineCode,
      message: 'Your card was declined.',
      payment_intent: intentShape(intent),
    },
  }),
});

export const statusOf = ({ isCharged }: SandboxIntent): string =>
  isCharged ? 'succeeded' : 'requires_payment_method';

const intentShape = (intent: SandboxIntent) => ({
  id: intent.intentId,
  object: 'payment_intent',
  amount: intent.amount,
  amount_received: intent.isCharged ? intent.amount : 0,
  currency: intent.currency,
  livemode: false,
  metadata: intent.metadata,
  status: statusOf(intent),
  last_payment_error:
    intent.declineCode === undefined
      ? null
      : { type: 'card_error', code: 'card_declined', decline_code: intent.declineCode },
});
