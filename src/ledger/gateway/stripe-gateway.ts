import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { assert } from '../../actors/allocator/assert.ts';
import type {
  CardAnswer,
  CardGateway,
  FindAnswer,
  RefundAnswer,
  VoidAnswer,
} from '../../actors/runtime/card-gateway.ts';
import type { CardOrder, PaymentOrder } from '../../actors/runtime/ledger.ts';
import { type BreakerState, CallGuard } from './call-guard.ts';
import type { GatewayReply } from './gateway-reply.ts';
import { type Installed, isInstallationId } from './stripe-requests.ts';
import type * as Worker from './stripe-worker.ts';
import type { StripeWorkerData } from './stripe-worker.ts';

/**
 * Cards by way of Stripe, or of anything that speaks its API. Owned by the main thread; the calls are made in
 * a worker thread.
 *
 * G1 A call never rejects, and ends within `callLimitMs`. A worker that dies leaves its calls unknown, and is
 *    replaced.
 * G2 What is said to be approved, declined, voided or refunded was said by Stripe of this very payment of
 *    this installation.
 * G3 `not-sent` is said of one call. Where the same charge was called before and its answer is not known, it
 *    says nothing of that one.
 * G4 Neither the API key nor a card token is in a reason, an error or anything that is observed.
 */
export class StripeGateway implements CardGateway {
  readonly #installationId: string;
  readonly #callLimitMs: number;
  readonly #observer: GatewayObserver;
  readonly #guard: CallGuard;
  readonly #pool: Piscina;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  private constructor(options: StripeGatewayOptions) {
    const { apiUrl, apiKey, installationId, observer } = options;
    const { callsMax = 64, callLimitMs = 4_000, breakerOpenMs = 5_000 } = options;
    assert(isInstallationId(installationId), 'an installation id has 8 to 32 letters and digits');
    this.#installationId = installationId;
    this.#callLimitMs = callLimitMs;
    this.#observer = observer;
    this.#guard = new CallGuard({
      callsMax,
      callLimitMs,
      breakerOpenMs,
      isFailure: (reply) => (reply as GatewayReply<unknown>).isFailure,
      onBreaker: (state) => observer.onBreaker(state),
    });
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('./stripe-worker.ts', import.meta.url)),
      workerData: { apiUrl, apiKey, callsMax } satisfies StripeWorkerData,
      // The SDK looks for things in the environment, and has no business with our other secrets.
      env: {},
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: callsMax,
      // A call whose time is over here may be on its way out there for a moment longer.
      maxQueue: callsMax,
      // Waiting for the next task with Atomics would stop the sockets of those under way.
      atomics: 'disabled',
    });
    // A worker that dies between two calls: there is nobody to tell, and the pool replaces it.
    this.#pool.on('error', () => undefined);
  }

  /** Resolves when the worker has loaded; no call is made. */
  static async open(options: StripeGatewayOptions): Promise<StripeGateway> {
    const gateway = new StripeGateway(options);
    try {
      await gateway.#pool.run(undefined, { name: 'ping' satisfies keyof typeof Worker });
    } catch (error) {
      await gateway.close();
      throw error;
    }
    return gateway;
  }

  get standing(): 'ready' | 'overloaded' | 'unavailable' {
    return this.#isClosed ? 'unavailable' : this.#guard.standing;
  }

  charge(order: CardOrder): Promise<CardAnswer> {
    return this.#call<CardAnswer>('charge', 'charge', order, (reason) => ({ kind: 'not-sent', reason }));
  }

  void(order: CardOrder): Promise<VoidAnswer> {
    return this.#call<VoidAnswer>('void', 'voidCharge', order, unknown);
  }

  /**
   * A charge that was given back is found as well. Right after a charge it may not be yet: `none` rules out
   * what is older than an hour, and a void after it the rest.
   */
  find(order: CardOrder): Promise<FindAnswer> {
    return this.#call<FindAnswer>('find', 'find', order, unknown);
  }

  refund(order: PaymentOrder, reference: string): Promise<RefundAnswer> {
    return this.#call<RefundAnswer>('refund', 'refund', order, unknown, { reference });
  }

  /** Waits for the calls under way, then ends the worker. Calls that come later are not sent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
    await this.#pool.destroy();
  }

  async #call<Answer extends { readonly kind: string }>(
    call: GatewayCall,
    name: 'charge' | 'voidCharge' | 'find' | 'refund',
    order: PaymentOrder,
    notSent: (reason: string) => Answer,
    more: { readonly reference?: string } = {},
  ): Promise<Answer | Unknown> {
    const startedMs = performance.now();
    const deadlineMs = performance.timeOrigin + startedMs + this.#callLimitMs;
    const installed: Installed<PaymentOrder> = { ...order, installationId: this.#installationId };
    const answering = this.#isClosed
      ? Promise.resolve(notSent('closed'))
      : this.#ask(() => this.#pool.run({ ...more, order: installed, deadlineMs }, { name }), notSent);
    this.#underWay.add(answering);
    const answer = await answering;
    this.#underWay.delete(answering);
    this.#observer.onGatewayCall(call, answer.kind, performance.now() - startedMs);
    return answer;
  }

  async #ask<Answer>(
    call: () => Promise<GatewayReply<Answer>>,
    notSent: (reason: string) => Answer,
  ): Promise<Answer | Unknown> {
    const outcome = await this.#guard.run(call);
    if (outcome.kind === 'answered') return outcome.value.answer;
    return outcome.kind === 'not-sent' ? notSent(outcome.reason) : unknown(outcome.reason);
  }
}

export interface StripeGatewayOptions {
  /** Scheme, host and port, as in `https://api.stripe.com`. */
  readonly apiUrl: string;
  readonly apiKey: string;
  /**
   * Tells our payments from those of another installation on the same account, which have the same ids: 8 to
   * 32 lower-case letters and digits. It stays what it is as long as the ledger does.
   */
  readonly installationId: string;
  /** Calls under way at once; a further one is not sent. 64. */
  readonly callsMax?: number;
  /** A call without an answer by then is unknown, and counts against the breaker. 4,000. */
  readonly callLimitMs?: number;
  /** How long nothing is sent once the breaker has opened. 5,000. */
  readonly breakerOpenMs?: number;
  readonly observer: GatewayObserver;
}

type GatewayCall = 'charge' | 'void' | 'find' | 'refund';

interface GatewayObserver {
  /** @param outcome the `kind` of the answer. */
  onGatewayCall(call: GatewayCall, outcome: string, durationMs: number): void;
  onBreaker(state: BreakerState): void;
}

interface Unknown {
  readonly kind: 'unknown';
  readonly reason: string;
}

const unknown = (reason: string): Unknown => ({ kind: 'unknown', reason });
