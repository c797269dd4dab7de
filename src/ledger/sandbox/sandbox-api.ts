import { setTimeout as sleep } from 'node:timers/promises';
import { IdempotencyKeys } from './idempotency-keys.ts';
import { type IntentForm, metadataOf, parseIntentForm } from './intent-form.ts';
import { type IntentSearch, parseIntentSearch } from './intent-search.ts';
import { SandboxAccount } from './sandbox-account.ts';
import { type SandboxCard, sandboxCard } from './sandbox-cards.ts';
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
 * Stripe's calls, as far as a payment needs them, on an account in memory. Knows nothing of HTTP's wires: an
 * outcome says what is to happen on them.
 */
export class SandboxApi {
  readonly account = new SandboxAccount();
  readonly #keys = new IdempotencyKeys();

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
    if (typeof work !== 'function') return answer(work);
    const { key } = request;
    if (key === undefined) return this.#carryOut(work, undefined);
    const state = this.#keys.begin(key, fingerprintOf(request));
    switch (state.kind) {
      case 'known':
        return { kind: 'answer', replies: [{ ...state.reply, isReplay: true }], isTwice: false };
      case 'taken':
        return answer(keyTaken);
      case 'in-use':
        return answer(keyInUse);
      case 'new':
        return this.#carryOut(work, key);
    }
  }

  async #carryOut(work: Work, key: string | undefined): Promise<ApiOutcome> {
    const result = await work();
    if (result.kind === 'hang') {
      const release = () => {
        if (key !== undefined) this.#keys.release(key);
      };
      return { kind: 'hang', release };
    }
    if (key !== undefined) this.#keys.finish(key, result.reply);
    return result.wire === 'drop' ? { kind: 'drop' } : answer(result.reply, result.wire === 'repeat');
  }

  /** What is to be done, or the answer to what can't be: that one leaves the key free. */
  #route({ method, path, form }: ApiRequest): Work | SandboxReply {
    if (method === 'POST' && path === '/v1/payment_intents') {
      const intent = parseIntentForm(form);
      return 'status' in intent ? intent : () => this.#createIntent(intent);
    }
    if (method === 'POST' && path === '/v1/refunds') {
      const intentId = form.get('payment_intent');
      return intentId === null
        ? refusedParameter('payment_intent', 'parameter_missing', 'Missing: payment_intent.')
        : async () => said(this.#refund(intentId, metadataOf(form)));
    }
    if (method === 'GET' && path === '/v1/payment_intents/search') {
      const search = parseIntentSearch(form);
      return 'status' in search ? search : this.#search(search);
    }
    const [, intentId] = /^\/v1\/payment_intents\/([^/]+)$/.exec(path) ?? [];
    if (method === 'GET' && intentId !== undefined) {
      const intent = this.account.find(intentId);
      return intent === undefined ? noSuchIntent(404, 'intent') : intentReply(intent);
    }
    const message = `Unrecognized request URL (${method}: ${path}).`;
    return errorReply(404, { type: 'invalid_request_error', message });
  }

  async #createIntent(form: IntentForm): Promise<WorkResult> {
    if (!form.isConfirmed) return said(intentReply(this.account.create(form)));
    if (form.cardToken === undefined) {
      return said(refusedParameter('payment_method', 'parameter_missing', 'Missing: payment_method.'));
    }
    const card = sandboxCard(form.cardToken);
    if (card === undefined) {
      return said(refusedParameter('payment_method', 'resource_missing', 'No such PaymentMethod.'));
    }
    return this.#confirm(form, card);
  }

  async #confirm(form: IntentForm, card: SandboxCard): Promise<WorkResult> {
    if (card.kind === 'hang') return { kind: 'hang' };
    if (card.kind === 'decline') {
      const intent = this.account.create({ ...form, declineCode: card.declineCode });
      return said(declineReply(intent, card.declineCode));
    }
    if (card.kind === 'delay') await sleep(card.delayMs, undefined, { ref: false });
    const reply = intentReply(this.account.create({ ...form, isCharged: true }));
    if (card.kind === 'approve-then-drop') return { kind: 'said', reply, wire: 'drop' };
    return card.kind === 'twice' ? { kind: 'said', reply, wire: 'repeat' } : said(reply);
  }

  #search({ limit, isMatch }: IntentSearch): SandboxReply {
    const found = Array.from(this.account.intents).filter((intent) =>
      isMatch({ status: statusOf(intent), metadata: intent.metadata }),
    );
    return searchReply(found.reverse(), limit);
  }

  #refund(intentId: string, metadata: Readonly<Record<string, string>>): SandboxReply {
    const intent = this.account.find(intentId);
    if (intent === undefined) return noSuchIntent(400, 'payment_intent');
    if (!intent.isCharged) {
      const message = 'This PaymentIntent does not have a successful charge to refund.';
      return refusedParameter('payment_intent', 'payment_intent_unexpected_state', message);
    }
    if (intent.refund !== undefined) {
      return refusedParameter('payment_intent', 'charge_already_refunded', 'Charge has been refunded.');
    }
    return refundReply(this.account.refund(intent, metadata));
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

type Work = () => Promise<WorkResult>;

type WorkResult =
  | { readonly kind: 'said'; readonly reply: SandboxReply; readonly wire: 'answer' | 'drop' | 'repeat' }
  | { readonly kind: 'hang' };

const said = (reply: SandboxReply): WorkResult => ({ kind: 'said', reply, wire: 'answer' });

const answer = (reply: SandboxReply, isTwice = false): ApiOutcome => ({
  kind: 'answer',
  replies: [{ ...reply, isReplay: false }],
  isTwice,
});

const fingerprintOf = ({ method, path, form }: ApiRequest): string => {
  const sorted = new URLSearchParams(form);
  sorted.sort();
  return `${method} ${path}?${sorted}`;
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
