import { LedgerOverloaded, LedgerUnavailable } from '../../actors/runtime/ledger.ts';
import { StoreUnavailable } from '../../actors/runtime/ports.ts';
import { unavailableProblem } from '../answer/outcome-answer.ts';
import { Problem, unavailable } from '../answer/problem.ts';
import type { Exchange } from './exchange.ts';

/** Where what went wrong on our side is written down. */
export interface HttpLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/**
 * Answers a request whose handler threw: broken infrastructure as what it is, everything else as a bug. Logged
 * once, with the request id; the client learns the id and nothing more.
 */
export function answerFailure(exchange: Exchange, log: HttpLog, error: unknown): void {
  const { requestId } = exchange;
  if (error instanceof StoreUnavailable) {
    log.warn({ requestId, err: error }, 'the store was not available to a request');
    exchange.sendProblem(unavailableProblem('store-unavailable', 1));
    return;
  }
  if (error instanceof LedgerUnavailable) {
    log.warn({ requestId, err: error }, 'the ledger was not available to a request');
    exchange.sendProblem(unavailable('store-unavailable', ledgerSilent, 1));
    return;
  }
  // Nothing is broken: as a full mailbox, it is counted and not written down.
  if (error instanceof LedgerOverloaded) return exchange.sendProblem(unavailableProblem('overloaded', 1));
  log.error({ requestId, err: error }, 'a request failed');
  exchange.sendProblem(new Problem('internal-error', 'Something broke; the request id tells us what.'));
}

/** What was asked for may have taken effect: not what is said of the store. */
const ledgerSilent =
  'The ledger did not answer in time. Send it again, under the same key if it had one: it takes effect once.';
