import * as v from 'valibot';
import type { CardAnswer, FindAnswer, RefundAnswer, VoidAnswer } from '../../actors/runtime/card-gateway.ts';
import { type CallFault, isGatewayFailure } from './call-fault.ts';
import { codeOf } from './code-word.ts';
import type { GatewayReply } from './gateway-reply.ts';
import type { PaymentName } from './stripe-requests.ts';

/** What an answer of Stripe's means to a payment. What is not certain is unknown. */

const idSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(255));

const intentSchema = v.object({
  id: idSchema,
  status: v.string(),
  metadata: v.optional(v.record(v.string(), v.string()), {}),
  last_payment_error: v.nullish(
    v.object({ code: v.optional(v.string()), decline_code: v.nullish(v.string()) }),
  ),
});

type Intent = v.InferOutput<typeof intentSchema>;

const searchSchema = v.object({
  object: v.literal('search_result'),
  data: v.array(intentSchema),
  has_more: v.boolean(),
});

const refundSchema = v.object({ id: idSchema, status: v.nullable(v.string()) });

/** The id of an intent that is not decided, to be looked at again. */
export function openIntentId(intent: unknown): string | undefined {
  const { success, output } = v.safeParse(intentSchema, intent);
  return success && !endStatuses.includes(output.status) ? output.id : undefined;
}

/** Nothing comes after these: a canceled intent never charges. https://docs.stripe.com/payments/paymentintents/lifecycle */
const endStatuses: readonly string[] = ['succeeded', 'canceled'];

/** @param intent of a charge: what creating it answered, or what it has become since. */
export function chargeReply(intent: unknown, name: PaymentName): GatewayReply<CardAnswer> {
  const { success, output } = v.safeParse(intentSchema, intent);
  if (!success) return failure(unknown('unreadable answer'));
  const { id, status, metadata } = output;
  const declineCode = declineCodeOf(output);
  if (status !== 'succeeded' && declineCode === undefined) {
    return fine(unknown(`the intent is ${codeOf(status) ?? 'in no state we know'}`));
  }
  if (!isOf(name, metadata)) return failure(anothers);
  return fine(
    declineCode === undefined ? { kind: 'approved', reference: id } : { kind: 'declined', declineCode },
  );
}

/** Undefined for an intent that is charged, or may yet be. */
function declineCodeOf({ status, last_payment_error: error }: Intent): string | undefined {
  if (status === 'canceled') return 'canceled';
  if (status !== 'requires_payment_method') return undefined;
  return codeOf(error?.decline_code) ?? codeOf(error?.code);
}

export function chargeReplyTo(fault: CallFault): GatewayReply<CardAnswer> {
  const isFailure = isGatewayFailure(fault);
  switch (fault.kind) {
    case 'card-refused':
      return { isFailure, answer: { kind: 'declined', declineCode: fault.code } };
    case 'request-refused': {
      const answer = { kind: 'declined', declineCode: fault.code } as const;
      return fault.isOfCard ? { isFailure, answer } : { isFailure, answer, refusal: refusalOf(fault) };
    }
    case 'turned-away':
    case 'not-sent':
      return { isFailure, answer: { kind: 'not-sent', reason: fault.reason } };
    // By our own void, most likely, but the answer does not say so: the same is said when it was a charge with
    // parameters of another version of this program, which may have been made. The void that is sent in the
    // end tells: it is answered as before (`voided`), or refused as well (`begun`).
    case 'key-taken':
    case 'key-in-use':
    case 'unclear':
      return { isFailure, answer: unknown(reasonOf(fault)) };
  }
}

const refusalOf = ({ code, parameter }: CallFault & { kind: 'request-refused' }): string => {
  const named = codeOf(parameter);
  return named === undefined ? code : `${code}, parameter ${named}`;
};

/** @param intent that took the key and charges nothing. */
export function voidReply(intent: unknown): GatewayReply<VoidAnswer> {
  const { success, output } = v.safeParse(intentSchema, intent);
  if (!success) return failure(unknown('unreadable answer'));
  return output.status === 'succeeded'
    ? failure(unknown('the intent is one that charges'))
    : fine({ kind: 'voided' });
}

/** @param result of a search for the payment's charge. */
export function findReply(result: unknown, name: PaymentName): GatewayReply<FindAnswer> {
  const { success, output } = v.safeParse(searchSchema, result);
  if (!success) return failure(unknown('unreadable answer'));
  const [intent] = output.data;
  if (intent === undefined) {
    return output.has_more ? failure(unknown('an empty page before others')) : fine({ kind: 'none' });
  }
  // The search is Stripe's, and so are its ideas of what is equal.
  if (!isOf(name, intent.metadata)) return failure(anothers);
  return intent.status === 'succeeded'
    ? fine({ kind: 'approved', reference: intent.id })
    : failure(unknown(`the intent is ${codeOf(intent.status) ?? 'in no state we know'}`));
}

export const findReplyTo = (fault: CallFault): GatewayReply<FindAnswer> => ({
  isFailure: isGatewayFailure(fault),
  answer: unknown(reasonOf(fault)),
});

/** Refused for one of these, a void tells that its charge is refused as well, whenever it is looked at. */
const parametersOfBoth: readonly (string | undefined)[] = ['amount', 'currency'];

export function voidReplyTo(fault: CallFault): GatewayReply<VoidAnswer> {
  const isFailure = isGatewayFailure(fault);
  const isCharges =
    fault.kind === 'key-taken' ||
    (fault.kind === 'request-refused' && parametersOfBoth.includes(fault.parameter));
  return { isFailure, answer: isCharges ? { kind: 'begun' } : unknown(reasonOf(fault)) };
}

export function refundReply(refund: unknown): GatewayReply<RefundAnswer> {
  const { success, output } = v.safeParse(refundSchema, refund);
  if (!success) return failure(unknown('unreadable answer'));
  const { id, status } = output;
  // A pending one is Stripe's to carry out.
  if (status === 'succeeded' || status === 'pending') return fine({ kind: 'refunded', reference: id });
  return fine(unknown(`the refund is ${codeOf(status) ?? 'in no state we know'}`));
}

/** @param reference of the approval: names the refund that was made without us. */
export function refundReplyTo(fault: CallFault, reference: string): GatewayReply<RefundAnswer> {
  return fault.kind === 'request-refused' && fault.code === 'charge_already_refunded'
    ? fine({ kind: 'refunded', reference })
    : { isFailure: isGatewayFailure(fault), answer: unknown(reasonOf(fault)) };
}

function reasonOf(fault: CallFault): string {
  switch (fault.kind) {
    case 'card-refused':
    case 'request-refused':
      return `refused: ${fault.code}`;
    case 'key-taken':
      return 'the idempotency key belongs to another request';
    case 'key-in-use':
      return 'the first request is still under way';
    case 'turned-away':
    case 'not-sent':
    case 'unclear':
      return fault.reason;
  }
}

/** Money is only taken for granted where the payment's own name stands beside it. */
const isOf = (name: PaymentName, metadata: Readonly<Record<string, string>>): boolean =>
  metadata['paymentId'] === name.paymentId && metadata['installationId'] === name.installationId;

const unknown = (reason: string) => ({ kind: 'unknown', reason }) as const;
const anothers = unknown('the intent of another payment');
const fine = <Answer>(answer: Answer): GatewayReply<Answer> => ({ answer, isFailure: false });
const failure = <Answer>(answer: Answer): GatewayReply<Answer> => ({ answer, isFailure: true });
