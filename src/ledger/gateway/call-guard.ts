import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  CountBreaker,
  circuitBreaker,
  handleAll,
  type IBreaker,
  isTaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';

/**
 * What stands before the calls of one service: so many at once, each within its time, none while the service
 * is down.
 *
 * The breaker opens when failures come in a row or are most of the recent calls. While it is open nothing is
 * sent; when its time is over, one call is, and decides whether it closes. The others are turned away
 * meanwhile: a call never waits for another's fate.
 */
export class CallGuard {
  readonly #options: CallGuardOptions;
  readonly #slots;
  readonly #breaker;
  readonly #policy;
  #openedAtMs = 0;

  constructor(options: CallGuardOptions) {
    this.#options = options;
    const failures = handleAll.orWhenResult((result) => options.isFailure(result));
    this.#slots = bulkhead(options.callsMax, 0);
    this.#breaker = circuitBreaker(failures, {
      breaker: new EitherBreaker(),
      halfOpenAfter: options.breakerOpenMs,
    });
    this.#breaker.onBreak(() => {
      this.#openedAtMs = Date.now();
      options.onBreaker('open');
    });
    this.#breaker.onHalfOpen(() => options.onBreaker('half-open'));
    this.#breaker.onReset(() => options.onBreaker('closed'));
    const limit = timeout(options.callLimitMs, TimeoutStrategy.Aggressive);
    this.#policy = wrap(this.#slots, this.#breaker, limit);
  }

  /** Whether a call that came now would be sent. */
  get standing(): 'ready' | 'overloaded' | 'unavailable' {
    const { state } = this.#breaker;
    if (state === CircuitState.HalfOpen) return 'unavailable';
    // Past its time the breaker still says "open" until somebody calls, so somebody must be let through.
    if (state === CircuitState.Open && Date.now() - this.#openedAtMs < this.#options.breakerOpenMs) {
      return 'unavailable';
    }
    return this.#slots.executionSlots === 0 ? 'overloaded' : 'ready';
  }

  /** Never rejects. */
  async run<Value>(call: () => Promise<Value>): Promise<GuardedOutcome<Value>> {
    if (this.#breaker.state === CircuitState.HalfOpen) return { kind: 'not-sent', reason: 'unavailable' };
    try {
      return { kind: 'answered', value: await this.#policy.execute(call) };
    } catch (error) {
      if (error instanceof BulkheadRejectedError) return { kind: 'not-sent', reason: 'overloaded' };
      if (error instanceof BrokenCircuitError) return { kind: 'not-sent', reason: 'unavailable' };
      if (isTaskCancelledError(error)) {
        return { kind: 'lost', reason: `no answer within ${this.#options.callLimitMs} ms` };
      }
      return { kind: 'lost', reason: 'the call was lost' };
    }
  }
}

export type BreakerState = 'closed' | 'open' | 'half-open';

interface CallGuardOptions {
  /** At once; there is no queue behind them. */
  readonly callsMax: number;
  readonly callLimitMs: number;
  readonly breakerOpenMs: number;
  /** Of a value that a call resolved with. A call that rejects or takes too long has failed anyway. */
  readonly isFailure: (value: unknown) => boolean;
  readonly onBreaker: (state: BreakerState) => void;
}

type GuardedOutcome<Value> =
  | { readonly kind: 'answered'; readonly value: Value }
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** It began, and what came of it is not known. */
  | { readonly kind: 'lost'; readonly reason: string };

/** A service that is dead shows in a row of failures; one that is ill, in their share. */
const failuresInARow = 5;
const recentCalls = { threshold: 0.5, size: 20, minimumNumberOfCalls: 10 };

class EitherBreaker implements IBreaker {
  readonly #row = new ConsecutiveBreaker(failuresInARow);
  readonly #share = new CountBreaker(recentCalls);
  /** Never carried over to another process. */
  state: unknown;

  success(state: CircuitState): void {
    this.#row.success();
    this.#share.success(state);
  }

  failure(state: CircuitState): boolean {
    const isRow = this.#row.failure();
    const isShare = this.#share.failure(state);
    return isRow || isShare;
  }
}
