import { StoreUnavailable } from '../../actors/runtime/ports.ts';
import { faultOf, MySqlFault } from '../../mysql/mysql-fault.ts';

/** How long after a fault the next attempt begins: doubling, up to the last. */
const restsMs = [0, 20, 50, 100, 200, 400] as const;

/**
 * What calls have met that came one after the other. Their patience is one, and begins with it: without this, what
 * waits behind a call that has given up would wait as long again.
 */
export class Outage {
  #sinceMs = Number.POSITIVE_INFINITY;
  #lastFaultMs = Number.NEGATIVE_INFINITY;

  /** @param atMs when the attempt began that has failed just now. */
  noteFault(atMs: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastFaultMs > outageRestMs) this.#sinceMs = Number.POSITIVE_INFINITY;
    this.#sinceMs = Math.min(this.#sinceMs, atMs);
    this.#lastFaultMs = nowMs;
  }

  end(): void {
    this.#sinceMs = Number.POSITIVE_INFINITY;
  }

  get sinceMs(): number {
    return this.#sinceMs;
  }
}

/** A fault that comes longer after the last one is of another outage. Whoever lost a batch asks again sooner. */
const outageRestMs = 10_000;

/**
 * Tries `attempt` again while another attempt may go better and `budgetMs` has not passed: a deadlock, a lost
 * connection, a server that restarts, has failed over or has no connection to give. What can't be helped (a full
 * disk, a refused statement) ends it at once. `attempt` must leave nothing behind when it fails.
 * Rejects with StoreUnavailable; anything that is not a MySqlFault is thrown on as it is.
 * @param outage of those who wait behind each other.
 */
export async function withPatience<T>(
  budgetMs: number,
  attempt: () => Promise<T>,
  outage = new Outage(),
): Promise<T> {
  const startedMs = performance.now();
  for (let attempts = 0; ; attempts++) {
    const attemptMs = performance.now();
    try {
      const result = await attempt();
      outage.end();
      return result;
    } catch (error) {
      if (!(error instanceof MySqlFault)) throw error;
      if (error.kind === 'reconnect') outage.noteFault(attemptMs);
      const restMs = restsMs[Math.min(attempts, restsMs.length - 1)]!;
      const deadlineMs = Math.min(startedMs, outage.sinceMs) + budgetMs;
      const isOver = performance.now() + restMs >= deadlineMs;
      if (error.kind === 'unavailable' || isOver) throw new StoreUnavailable(error.message, { cause: error });
      if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }
}

/** The StoreUnavailable of an error of the server's. */
export const unavailableOf = (error: unknown): StoreUnavailable =>
  error instanceof StoreUnavailable
    ? error
    : new StoreUnavailable(faultOf(error, '').message, { cause: error });
