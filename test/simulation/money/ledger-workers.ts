import type { LedgerOperation, OperationResult } from '../../../src/ledger/operation.ts';
import type { Counters } from '../counters.ts';
import { type Owner, type Scheduler, serverOwner } from '../scheduler.ts';
import type { FaultPlan } from '../store/fault-plan.ts';
import type { Bank } from './bank.ts';

/**
 * The worker threads of one node's ledger. A batch reaches the bank in one turn and its answer comes back in
 * another. A worker may die with its batch: before it has done it, after, or it is given up for dead and does
 * it later all the same.
 */
export class LedgerWorkers {
  readonly #bank: Bank;
  readonly #scheduler: Scheduler;
  readonly #faults: FaultPlan;
  readonly #counters: Counters;
  readonly #owner: Owner;

  constructor(options: LedgerWorkersOptions) {
    this.#bank = options.bank;
    this.#scheduler = options.scheduler;
    this.#faults = options.faults;
    this.#counters = options.counters;
    this.#owner = options.owner;
  }

  execute(operations: readonly LedgerOperation[]): Promise<readonly OperationResult[]> {
    return new Promise((resolve, reject) => {
      this.#later(`the ledger does ${operations.length} operations`, () => {
        const death = this.#faults.takeWorkerDeath();
        if (death !== undefined) {
          this.#counters.add(`ledger worker died: ${death.fate}`);
          if (death.fate === 'landed') this.#apply(operations);
          if (death.fate === 'later') {
            const label = 'a ledger worker that was given up goes on';
            const run = () => void this.#apply(operations);
            this.#scheduler.add({ owner: serverOwner, label, run }, death.delayTurns);
          }
          return this.#later('a ledger worker is dead', () => reject(new Error('its answer was lost')));
        }
        const results = this.#apply(operations);
        this.#later('the ledger answers', () => resolve(results));
      });
    });
  }

  #apply(operations: readonly LedgerOperation[]): readonly OperationResult[] {
    this.#counters.add('ledger batches');
    if (operations.length > 1) this.#counters.add('ledger batches of several operations');
    return this.#bank.apply(operations);
  }

  #later(label: string, run: () => void): void {
    this.#scheduler.add({ owner: this.#owner, label, run });
  }
}

interface LedgerWorkersOptions {
  readonly bank: Bank;
  readonly scheduler: Scheduler;
  readonly faults: FaultPlan;
  readonly counters: Counters;
  readonly owner: Owner;
}
