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
import { bareError } from './bare-error.ts';
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
  /** The latest, as the pool tells of it once a call. */
  #workerFault: unknown;

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
    // Between two calls; the pool replaces it.
    this.#pool.on('error', (error) => this.#onWorkerFault(error));
  }

  /**
   * Resolves when the worker has loaded; no call is made.
   *
   * @throws what the worker did when it loaded, or that it did not within `loadLimitMs`.
   */
  static async open(options: StripeGatewayOptions): Promise<StripeGateway> {
    const { loadLimitMs = 10_000 } = options;
    const gateway = new StripeGateway(options);
    const signal = AbortSignal.timeout(loadLimitMs);
    try {
      await gateway.#pool.run(undefined, { name: 'ping' satisfies keyof typeof Worker, signal });
    } catch (error) {
      await gateway.close();
      if (!signal.aborted) throw error;
      throw new Error(`the card gateway's worker did not load within ${loadLimitMs} ms`, { cause: error });
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
      : this.#ask(
          installed,
          () => this.#run<Answer>(name, { ...more, order: installed, deadlineMs }),
          notSent,
        );
    this.#underWay.add(answering);
    const answer = await answering;
    this.#underWay.delete(answering);
    this.#observer.onGatewayCall(call, answer.kind, performance.now() - startedMs);
    return answer;
  }

  async #ask<Answer>(
    { paymentId }: PaymentOrder,
    call: () => Promise<GatewayReply<Answer>>,
    notSent: (reason: string) => Answer,
  ): Promise<Answer | Unknown> {
    const outcome = await this.#guard.run(call);
    if (outcome.kind === 'not-sent') return notSent(outcome.reason);
    if (outcome.kind === 'lost') return unknown(outcome.reason);
    const { answer, refusal } = outcome.value;
    if (refusal !== undefined) {
      const fault = `payment ${paymentId}: declined, as the card gateway refuses it whatever the card`;
      this.#observer.onFault(fault, new Error(refusal));
    }
    return answer;
  }

  async #run<Answer>(name: keyof typeof Worker, task: object): Promise<GatewayReply<Answer>> {
    try {
      return await this.#pool.run(task, { name });
    } catch (error) {
      this.#onWorkerFault(error);
      throw error;
    }
  }

  /** Told once, of whatever the worker takes with it. */
  #onWorkerFault(error: unknown): void {
    if (this.#isClosed || error === this.#workerFault) return;
    this.#workerFault = error;
    this.#observer.onFault(
      "the card gateway's worker failed, and the calls that it had are lost",
      bareError(error),
    );
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
  /** The worker has loaded by then, or there is no gateway. 10,000. */
  readonly loadLimitMs?: number;
  readonly observer: GatewayObserver;
}

type GatewayCall = 'charge' | 'void' | 'find' | 'refund';

interface GatewayObserver {
  /** @param outcome the `kind` of the answer. */
  onGatewayCall(call: GatewayCall, outcome: string, durationMs: number): void;
  onBreaker(state: BreakerState): void;
  /** For people: something that no buyer and no other call will mend. */
  onFault(fault: string, error: unknown): void;
}

interface Unknown {
  readonly kind: 'unknown';
  readonly reason: string;
}

const unknown = (reason: string): Unknown => ({ kind: 'unknown', reason });
