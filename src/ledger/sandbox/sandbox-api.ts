import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FinishedKey } from './idempotency-keys.ts';
import { type IntentForm, metadataOf, parseIntentForm } from './intent-form.ts';
import { type IntentSearch, parseIntentSearch } from './intent-search.ts';
import { newIntent, newRefund, type SandboxIntent } from './sandbox-account.ts';
import { type SandboxCard, sandboxCard } from './sandbox-cards.ts';
import { SandboxFileError } from './sandbox-file.ts';
import type { SandboxMemory } from './sandbox-memory.ts';
import {
  declineReply,
  errorReply,
  intentReply,
  refundReply,
  refusedParameter,
  type SandboxReply,
  searchReply,
  statusOf,
} from './stripe-shapes.ts';

/**
 * Stripe's calls, as far as a payment needs them. Knows nothing of HTTP's wires: an outcome says what is to
 * happen on them.
 *
 * What a request does, it decides and keeps in one go, and says afterwards: nobody sees what is not kept.
 */
export class SandboxApi {
  readonly #memory: SandboxMemory;

  constructor(memory: SandboxMemory) {
    this.#memory = memory;
  }

  /** @throws nothing that a request can bring about. */
  async handle(request: ApiRequest): Promise<ApiOutcome> {
    const first = await this.#once(request);
    if (first.kind !== 'answer' || !first.isTwice) return first;
    const second = await this.#once(request);
    return second.kind === 'answer' ? { ...first, replies: [...first.replies, ...second.replies] } : first;
  }

  async #once(request: ApiRequest): Promise<ApiOutcome> {
    if (!request.isAuthorized) return answer(unauthorized);
    const work = this.#route(request);
    if ('status' in work) return answer(work);
    const { key } = request;
    if (key === undefined) return this.#carryOut(work, undefined);
    const fingerprint = fingerprintOf(request);
    const state = this.#memory.keys.begin(key, fingerprint);
    switch (state.kind) {
      case 'known':
        return { kind: 'answer', replies: [{ ...state.reply, isReplay: true }], isTwice: false };
      case 'taken':
        return answer(keyTaken);
      case 'in-use':
        return answer(keyInUse);
      case 'new':
        return this.#carryOut(work, { key, fingerprint });
    }
  }

  async #carryOut(work: Work, claim: KeyClaim | undefined): Promise<ApiOutcome> {
    if (work.kind === 'hang') return { kind: 'hang', release: () => this.#release(claim) };
    if (work.delayMs > 0) await sleep(work.delayMs, undefined, { ref: false });
    const { reply, intent } = work.act();
    try {
      if (intent !== undefined || claim !== undefined) {
        this.#memory.keep({ intent, key: claim === undefined ? undefined : { ...claim, reply } });
      }
    } catch (error) {
      if (!(error instanceof SandboxFileError)) throw error;
      this.#release(claim);
      return answer(errorReply(500, { type: 'api_error', message: error.message }));
    }
    return work.wire === 'drop' ? { kind: 'drop' } : answer(reply, work.wire === 'repeat');
  }

  #release(claim: KeyClaim | undefined): void {
    if (claim !== undefined) this.#memory.keys.release(claim.key);
  }

  /** What is to be done, or the answer to what can't be: that one leaves the key free. */
  #route({ method, path, form }: ApiRequest): Work | SandboxReply {
    if (method === 'POST' && path === '/v1/payment_intents') {
      const intent = parseIntentForm(form);
      return 'status' in intent ? intent : intentWork(intent);
    }
    if (method === 'POST' && path === '/v1/refunds') {
      const intentId = form.get('payment_intent');
      return intentId === null
        ? refusedParameter('payment_intent', 'parameter_missing', 'Missing: payment_intent.')
        : acting(() => this.#refund(intentId, metadataOf(form)));
    }
    if (method === 'GET' && path === '/v1/payment_intents/search') {
      const search = parseIntentSearch(form);
      return 'status' in search ? search : this.#search(search);
    }
    const [, intentId] = /^\/v1\/payment_intents\/([^/]+)$/.exec(path) ?? [];
    if (method === 'GET' && intentId !== undefined) {
      const intent = this.#memory.account.find(intentId);
      return intent === undefined ? noSuchIntent(404, 'intent') : intentReply(intent);
    }
    const message = `Unrecognized request URL (${method}: ${path}).`;
    return errorReply(404, { type: 'invalid_request_error', message });
  }

  #search({ limit, isMatch }: IntentSearch): SandboxReply {
    const found = Array.from(this.#memory.account.intents).filter((intent) =>
      isMatch({ status: statusOf(intent), metadata: intent.metadata }),
    );
    return searchReply(found.reverse(), limit);
  }

  #refund(intentId: string, metadata: Readonly<Record<string, string>>): Deed {
    const intent = this.#memory.account.find(intentId);
    if (intent === undefined) return { reply: noSuchIntent(400, 'payment_intent') };
    if (!intent.isCharged) {
      const message = 'This PaymentIntent does not have a successful charge to refund.';
      return { reply: refusedParameter('payment_intent', 'payment_intent_unexpected_state', message) };
    }
    if (intent.refund !== undefined) {
      const message = 'Charge has been refunded.';
      return { reply: refusedParameter('payment_intent', 'charge_already_refunded', message) };
    }
    const refund = newRefund(intent, metadata);
    return { reply: refundReply(refund), intent: { ...intent, refund } };
  }
}

export interface ApiRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** Parameters: a GET has them in its query, others in their body. */
  readonly form: URLSearchParams;
  /** Any API key will do. */
  readonly isAuthorized: boolean;
  /** The Idempotency-Key. */
  readonly key: string | undefined;
}

type ApiOutcome =
  /** One reply, or two of a request that was worked on twice. */
  | { readonly kind: 'answer'; readonly replies: readonly ApiReply[]; readonly isTwice: boolean }
  /** The connection breaks. */
  | { readonly kind: 'drop' }
  /** Nothing is said until the client goes away; then `release` is called. */
  | { readonly kind: 'hang'; readonly release: () => void };

export interface ApiReply extends SandboxReply {
  /** Said before, under the same key. */
  readonly isReplay: boolean;
}

type Work =
  | { readonly kind: 'hang' }
  | {
      readonly kind: 'act';
      /** Before it is decided. */
      readonly delayMs: number;
      readonly wire: 'answer' | 'drop' | 'repeat';
      /** Decides, and changes nothing. */
      readonly act: () => Deed;
    };

/** What is said of a request, and the intent as it is after it, if it has changed or is new. */
interface Deed {
  readonly reply: SandboxReply;
  readonly intent?: SandboxIntent;
}

type KeyClaim = Omit<FinishedKey, 'reply'>;

const acting = (
  act: () => Deed,
  { delayMs = 0, wire = 'answer' }: Partial<Pick<Work & { kind: 'act' }, 'delayMs' | 'wire'>> = {},
): Work => ({ kind: 'act', delayMs, wire, act });

function intentWork(form: IntentForm): Work {
  if (!form.isConfirmed) return acting(() => madeOf(newIntent(form, { isCharged: false })));
  if (form.cardToken === undefined) {
    const reply = refusedParameter('payment_method', 'parameter_missing', 'Missing: payment_method.');
    return acting(() => ({ reply }));
  }
  const card = sandboxCard(form.cardToken);
  if (card === undefined) {
    const reply = refusedParameter('payment_method', 'resource_missing', 'No such PaymentMethod.');
    return acting(() => ({ reply }));
  }
  return confirmation(form, card);
}

function confirmation(form: IntentForm, card: SandboxCard): Work {
  const charge = () => madeOf(newIntent(form, { isCharged: true }));
  switch (card.kind) {
    case 'approve':
      return acting(charge);
    case 'delay':
      return acting(charge, { delayMs: card.delayMs });
    case 'approve-then-drop':
      return acting(charge, { wire: 'drop' });
    case 'twice':
      return acting(charge, { wire: 'repeat' });
    case 'hang':
      return { kind: 'hang' };
    case 'decline': {
      const { declineCode } = card;
      return acting(() => {
        const intent = newIntent(form, { isCharged: false, declineCode });
        return { reply: declineReply(intent, declineCode), intent };
      });
    }
  }
}

const madeOf = (intent: SandboxIntent): Deed => ({ reply: intentReply(intent), intent });

const answer = (reply: SandboxReply, isTwice = false): ApiOutcome => ({
  kind: 'answer',
  replies: [{ ...reply, isReplay: false }],
  isTwice,
});

const fingerprintOf = ({ method, path, form }: ApiRequest): string => {
  const sorted = new URLSearchParams(form);
  sorted.sort();
  return createHash('sha256').update(`${method} ${path}?${sorted}`).digest('base64');
};

const noSuchIntent = (status: number, param: string): SandboxReply =>
  errorReply(status, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param,
    message: 'No such payment_intent.',
  });

const unauthorized = errorReply(401, {
  type: 'invalid_request_error',
  message: 'You did not provide an API key.',
});

const keyTaken = errorReply(400, {
  type: 'idempotency_error',
  message:
    'Keys for idempotent requests can only be used with the same parameters they were first used with.',
});

const keyInUse = errorReply(409, {
  type: 'invalid_request_error',
  code: 'idempotency_key_in_use',
  message: 'There is currently another in-progress request using this Idempotency-Key.',
});
