import { workerData } from 'node:worker_threads';
import Stripe from 'stripe';
import type { CardAnswer, FindAnswer, RefundAnswer, VoidAnswer } from '../../actors/runtime/card-gateway.ts';
import type { CardOrder, PaymentOrder } from '../../actors/runtime/ledger.ts';
import { callFaultOf } from './call-fault.ts';
import type { GatewayReply } from './gateway-reply.ts';
import { OneAttemptClient } from './one-attempt-client.ts';
import {
  chargeReply,
  chargeReplyTo,
  findReply,
  findReplyTo,
  openIntentId,
  refundReply,
  refundReplyTo,
  voidReply,
  voidReplyTo,
} from './stripe-answers.ts';
import {
  chargeKey,
  chargeParameters,
  findParameters,
  type Installed,
  refundKey,
  refundParameters,
  voidParameters,
} from './stripe-requests.ts';

/**
 * The worker thread that talks to Stripe: TLS, the SDK and its JSON stay off the thread that decides. Many
 * calls are under way at once. A function never rejects; each ends by its deadline.
 */
export interface StripeWorkerData {
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly callsMax: number;
}

interface Task<Order extends PaymentOrder> {
  readonly order: Installed<Order>;
  /** By the clock of `deadlineIn`. */
  readonly deadlineMs: number;
}

export type ChargeTask = Task<CardOrder>;
export type RefundTask = Task<PaymentOrder> & { readonly reference: string };

const stripe = connect(workerData as StripeWorkerData);

function connect({ apiUrl, apiKey, callsMax }: StripeWorkerData): Stripe {
  const { protocol, hostname, port } = new URL(apiUrl);
  const isSecure = protocol === 'https:';
  return new Stripe(apiKey, {
    protocol: isSecure ? 'https' : 'http',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 443 : 80) : Number(port),
    httpClient: new OneAttemptClient(callsMax),
    // Whoever asks, asks again; and nobody reports to Stripe how we do.
    maxNetworkRetries: 0,
    telemetry: false,
  });
}

/** Answers when the SDK is loaded. */
export const ping = (): 'pong' => 'pong';

export async function charge({ order, deadlineMs }: ChargeTask): Promise<GatewayReply<CardAnswer>> {
  const timeout = leftUntil(deadlineMs);
  if (timeout < 1) return chargeReplyTo(tooLate);
  let intent: unknown;
  try {
    const options = { idempotencyKey: chargeKey(order), timeout };
    intent = await stripe.paymentIntents.create(chargeParameters(order), options);
  } catch (error) {
    return chargeReplyTo(callFaultOf(error));
  }
  const openId = openIntentId(intent);
  // Under its key Stripe says for ever what it said at first. What has become of it since is the intent's to tell.
  if (openId !== undefined) intent = await lookAgain(openId, deadlineMs, intent);
  return chargeReply(intent, order);
}

async function lookAgain(intentId: string, deadlineMs: number, before: unknown): Promise<unknown> {
  const timeout = leftUntil(deadlineMs);
  if (timeout < 1) return before;
  return stripe.paymentIntents.retrieve(intentId, {}, { timeout }).catch(() => before);
}

export async function voidCharge({ order, deadlineMs }: ChargeTask): Promise<GatewayReply<VoidAnswer>> {
  const timeout = leftUntil(deadlineMs);
  if (timeout < 1) return voidReplyTo(tooLate);
  try {
    const options = { idempotencyKey: chargeKey(order), timeout };
    return voidReply(await stripe.paymentIntents.create(voidParameters(order), options));
  } catch (error) {
    return voidReplyTo(callFaultOf(error));
  }
}

export async function find({ order, deadlineMs }: ChargeTask): Promise<GatewayReply<FindAnswer>> {
  const timeout = leftUntil(deadlineMs);
  if (timeout < 1) return findReplyTo(tooLate);
  try {
    return findReply(await stripe.paymentIntents.search(findParameters(order), { timeout }), order);
  } catch (error) {
    return findReplyTo(callFaultOf(error));
  }
}

export async function refund({
  order,
  reference,
  deadlineMs,
}: RefundTask): Promise<GatewayReply<RefundAnswer>> {
  const timeout = leftUntil(deadlineMs);
  if (timeout < 1) return refundReplyTo(tooLate, reference);
  try {
    const options = { idempotencyKey: refundKey(order), timeout };
    return refundReply(await stripe.refunds.create(refundParameters(order, reference), options));
  } catch (error) {
    return refundReplyTo(callFaultOf(error), reference);
  }
}

const tooLate = { kind: 'not-sent', reason: 'its time was over before it was sent' } as const;

const leftUntil = (deadlineMs: number): number =>
  Math.floor(deadlineMs - performance.timeOrigin - performance.now());
