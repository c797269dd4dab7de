import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import { LedgerOverloaded, LedgerUnavailable } from '../../src/actors/runtime/ledger.ts';
import { CommitOutcomeUnknown, StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { type RuntimeObserver, silentObserver } from '../../src/actors/runtime/runtime-observer.ts';
import { GatewayConnection } from './money/gateway-connection.ts';
import { LedgerWorkers } from './money/ledger-workers.ts';
import { SimulatedLedger } from './money/simulated-ledger.ts';
import { NodeClock } from './node-clock.ts';
import type { CommitFate } from './operation.ts';
import { serverOwner, settlePromises, type Task } from './scheduler.ts';
import { SimulatedNode } from './simulated-node.ts';
import { StoreConnection } from './store/store-connection.ts';
import type { Surroundings } from './surroundings.ts';

/** Tasks that a node that has stopped may still have; more mean that it never comes to rest. */
const leftoverTasksMax = 1_000;

/**
 * The processes of a run, one after the other: the one that serves, and at most one predecessor that hangs
 * without clients, a zombie, and goes on with what it had.
 */
export class Nodes {
  readonly #surroundings: Surroundings;
  #current: SimulatedNode;
  #zombie: SimulatedNode | undefined;
  #startedCount = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#current = this.#start();
  }

  /** The one that clients know of; it may be on its way up or down. */
  get current(): SimulatedNode {
    return this.#current;
  }

  /** By the database's word, not by the node's. */
  owns(node: SimulatedNode, scheduleId: ScheduleId): boolean {
    const { database } = this.#surroundings;
    return database.ownerOf(database.shardOf(scheduleId)) === node.instanceId;
  }

  /** kill -9, and a new process at once; what was on its way to the database meets its fate. */
  crash(fate: CommitFate, delayTurns: number): void {
    this.killZombie();
    this.#surroundings.noteFault('crashes');
    this.#bury(this.#current, fate, delayTurns);
    this.#current = this.#start();
  }

  /** The process hangs, another takes its place, and then the first wakes up. */
  freeze(): void {
    this.killZombie();
    this.#surroundings.noteFault('zombies');
    this.#zombie = this.#current;
    this.#current = this.#start();
  }

  killZombie(): void {
    if (this.#zombie !== undefined) this.#bury(this.#zombie, 'not-landed', 0);
    this.#zombie = undefined;
  }

  /** SIGTERM; another process starts when it is done. */
  stop(): void {
    this.killZombie();
    this.#surroundings.noteFault('stops');
    this.#current.stop();
  }

  /** Runs one task of a node or of the database, until all promises have settled. */
  async run(task: Task): Promise<void> {
    const { trace, scheduler, counters } = this.#surroundings;
    const who = task.owner === serverOwner ? 'database' : `node ${task.owner}`;
    trace.add(`  [${scheduler.turn}] ${who}: ${task.label}`);
    const { directory } = this.#current;
    const actorsBefore = directory.stats().actors;
    try {
      task.run();
    } catch (error) {
      this.#surroundings.violate('no-bug-caught', `a ${task.label} threw: ${error}`);
    }
    await settlePromises();
    if (directory.stats().actors < actorsBefore) counters.add('actors put to sleep');
  }

  /** Starts a new process where one has ended by itself: a start that failed, a stop that is done. */
  async replaceEnded(): Promise<void> {
    const node = this.#current;
    if (node.phase === 'failed') this.#surroundings.counters.add('starts failed');
    else if (node.phase === 'stopped') await this.#runLeftovers(node);
    else return;
    this.#bury(node, 'not-landed', 0);
    this.#current = this.#start();
  }

  /** By the time a stop is done, all calls are answered, or will be without anything more from outside. */
  async #runLeftovers(node: SimulatedNode): Promise<void> {
    const { scheduler, history } = this.#surroundings;
    for (let count = 0; count < leftoverTasksMax; count++) {
      const task = scheduler.takeOf(node.owner);
      if (task === undefined) break;
      await this.run(task);
    }
    for (const call of history.openCallsOf(node.owner)) {
      this.#surroundings.violate('one-answer', `the node stopped, #${call.operationId} was never answered`);
    }
  }

  #bury(node: SimulatedNode, fate: CommitFate, delayTurns: number): void {
    node.connection.sever(fate, delayTurns);
    this.#surroundings.scheduler.dropTasksOf(node.owner);
    this.#surroundings.history.lose(node.owner);
  }

  #start(): SimulatedNode {
    this.#startedCount += 1;
    const owner = this.#startedCount;
    const { world, clock, database, bank, cardCompany, scheduler, faults, counters } = this.#surroundings;
    const nodeClock = new NodeClock(owner, clock, scheduler);
    const node = new SimulatedNode({
      owner,
      connection: new StoreConnection({ database, scheduler, faults, counters, owner }),
      ledger: new SimulatedLedger({
        bank,
        workers: new LedgerWorkers({ bank, scheduler, faults, counters, owner }),
        clock: nodeClock,
        operationsWaitingMax: world.limits.mailboxMax,
        onFault: (fault, error) => this.#noteFault(owner, fault, error),
      }),
      gateway: new GatewayConnection({ company: cardCompany, scheduler, faults, counters, owner }),
      clock: nodeClock,
      observer: this.#observer(owner),
      shardCount: world.shardCount,
      limits: world.limits,
    });
    node.start();
    return node;
  }

  #observer(owner: number): RuntimeObserver {
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
      onFault: (fault, error) => this.#noteFault(owner, fault, error),
    };
  }

  #noteFault(owner: number, fault: string, error: unknown): void {
    this.#surroundings.trace.add(`    node ${owner} reports: ${fault}: ${error}`);
    if (isBug(error)) this.#surroundings.violate('no-bug-caught', `${fault}: ${error}`);
  }
}

const infrastructure = [StoreUnavailable, CommitOutcomeUnknown, LedgerUnavailable, LedgerOverloaded];

/** Broken infrastructure is told as such, or as a plain Error; anything else is the code's own doing. */
const isBug = (error: unknown): boolean =>
  !infrastructure.some((kind) => error instanceof kind) &&
  !(error instanceof Error && error.name === 'Error' && error.message.includes('answer was lost'));
