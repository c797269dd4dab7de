import { StoreUnavailable } from '../../actors/runtime/ports.ts';
import { faultOf, MySqlFault } from '../../mysql/mysql-fault.ts';

/** How long after a fault the next attempt begins: doubling, up to the last. */
const restsMs = [0, 20, 50, 100, 200, 400] as const;

/**
 * Tries `attempt` again while another attempt may go better and `budgetMs` has not passed: a deadlock, a lost
 * connection, a server that restarts, has failed over or has no connection to give. What can't be helped (a full
 * disk, a refused statement) ends it at once. `attempt` must leave nothing behind when it fails.
 * Rejects with StoreUnavailable; anything that is not a MySqlFault is thrown on as it is.
 */
export async function withPatience<T>(budgetMs: number, attempt: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + budgetMs;
  for (let attempts = 0; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof MySqlFault)) throw error;
      const restMs = restsMs[Math.min(attempts, restsMs.length - 1)]!;
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
