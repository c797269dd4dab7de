import { LedgerOverloaded, LedgerUnavailable } from '../../src/actors/runtime/ledger.ts';
import { CommitOutcomeUnknown, StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { type RuntimeObserver, silentObserver } from '../../src/actors/runtime/runtime-observer.ts';
import type { ClusterObserver } from '../../src/cluster/cluster-observer.ts';
import { RegistryUnavailable } from '../../src/cluster/registry.ts';
import { type Owner, serverOwner, settlePromises, type Task } from './scheduler.ts';
import type { Surroundings } from './surroundings.ts';

/** Tasks that a node that has stopped may still have; more mean that it never comes to rest. */
const leftoverTasksMax = 1_000;

/** Looks on while nodes run, counts what they do, and notices what no node should do. */
export class NodeWatch {
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Runs one task of a node or of the database, until all promises have settled. */
  async run(task: Task): Promise<void> {
    const { trace, scheduler } = this.#surroundings;
    const who = task.owner === serverOwner ? 'database' : `node ${task.owner}`;
    trace.add(`  [${scheduler.turn}] ${who}: ${task.label}`);
    try {
      task.run();
    } catch (error) {
      this.#surroundings.violate('no-bug-caught', `a ${task.label} threw: ${error}`);
    }
    await settlePromises();
  }

  /** By the time a stop is done, all calls are answered, or will be without anything more from outside. */
  async runLeftovers(owner: Owner): Promise<void> {
    const { scheduler, history } = this.#surroundings;
    for (let count = 0; count < leftoverTasksMax; count++) {
      const task = scheduler.takeOf(owner);
      if (task === undefined) break;
      await this.run(task);
    }
    for (const call of history.openCallsOf(owner)) {
      this.#surroundings.violate('one-answer', `the node stopped, #${call.operationId} was never answered`);
    }
  }

  observer(owner: Owner): RuntimeObserver {
    const { counters } = this.#surroundings;
    return {
      ...silentObserver,
      onPayment: (method, outcome) => counters.add(`payment by ${method}: ${outcome}`),
      onPaymentStep: (step) => counters.add(`payments past ${step}`),
      onBatch: (rows, _durationMs, outcome) => {
        counters.add(`batches ${outcome}`);
        if (rows > 1) counters.add('batches of several rows');
      },
      onExpired: (holds) => counters.add('holds expired', holds),
      onRecovery: () => counters.add('recoveries'),
      onFault: (fault, error) => this.noteFault(owner, fault, error),
    };
  }

  clusterObserver(owner: Owner): ClusterObserver {
    const { counters } = this.#surroundings;
    return {
      onForwarded: (_method, result) => counters.add(`forwarded: ${result}`),
      onParked: (result) => counters.add(`parked: ${result}`),
      onMove: (outcome) => counters.add(`moves ${outcome}`),
      onClaim: (shards) => counters.add('shards claimed', shards),
      onLost: () => {},
      onFault: (fault, error) => this.noteFault(owner, fault, error),
    };
  }

  noteFault(owner: Owner, fault: string, error: unknown): void {
    this.#surroundings.trace.add(`    node ${owner} reports: ${fault}: ${error}`);
    if (fault.startsWith('I11')) this.#surroundings.violate('I11', fault);
    if (isBug(fault, error)) this.#surroundings.violate('no-bug-caught', `${fault}: ${error}`);
  }
}

const infrastructure = [
  StoreUnavailable,
  CommitOutcomeUnknown,
  LedgerUnavailable,
  LedgerOverloaded,
  RegistryUnavailable,
];

/** Broken infrastructure and other nodes' refusals are told as such; anything else is the code's own doing. */
function isBug(fault: string, error: unknown): boolean {
  if (error === undefined || infrastructure.some((kind) => error instanceof kind)) return false;
  const isTold = error instanceof Error && error.name === 'Error';
  return !isTold || !(error.message.includes('answer was lost') || fault.startsWith('a claim by'));
}
