import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import type { CommitFate } from './fates.ts';
import type { AskedNode, Front } from './front.ts';
import { GatewayConnection } from './money/gateway-connection.ts';
import { LedgerWorkers } from './money/ledger-workers.ts';
import { SimulatedLedger } from './money/simulated-ledger.ts';
import { NodeClock } from './node-clock.ts';
import { NodeWatch } from './node-watch.ts';
import type { Task } from './scheduler.ts';
import { SimulatedNode } from './simulated-node.ts';
import { StoreConnection } from './store/store-connection.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * The processes of a run, one after the other: the one that serves, and at most one predecessor that hangs
 * without clients, a zombie, and goes on with what it had.
 */
export class Nodes implements Front {
  readonly triesMax = 1;
  readonly #surroundings: Surroundings;
  readonly #watch: NodeWatch;
  #current: SimulatedNode;
  #zombie: SimulatedNode | undefined;
  #startedCount = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#watch = new NodeWatch(surroundings);
    this.#current = this.#start();
  }

  /** The one that clients know of; it may be on its way up or down. */
  get current(): SimulatedNode {
    return this.#current;
  }

  reach(): AskedNode | undefined {
    return this.#current.isUp ? this.#current : undefined;
  }

  owns({ owner }: AskedNode, scheduleId: ScheduleId): boolean {
    const { database } = this.#surroundings;
    return database.ownerOf(database.shardOf(scheduleId)) === nameOf(owner);
  }

  /** What a zombie still tells its own clients binds nobody who asks its successor. */
  isListenedTo(node: AskedNode): boolean {
    return node === this.#current;
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
    const { directory } = this.#current;
    const actorsBefore = directory.stats().actors;
    await this.#watch.run(task);
    if (directory.stats().actors < actorsBefore) this.#surroundings.counters.add('actors put to sleep');
  }

  /** Starts a new process where one has ended by itself: a start that failed, a stop that is done. */
  async replaceEnded(): Promise<void> {
    const node = this.#current;
    if (node.phase === 'failed') this.#surroundings.counters.add('starts failed');
    else if (node.phase === 'stopped') await this.#watch.runLeftovers(node.owner);
    else return;
    this.#bury(node, 'not-landed', 0);
    this.#current = this.#start();
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
      instanceId: nameOf(owner),
      connection: new StoreConnection({ database, scheduler, faults, counters, owner }),
      ledger: new SimulatedLedger({
        bank,
        workers: new LedgerWorkers({ bank, scheduler, faults, counters, owner }),
        clock: nodeClock,
        operationsWaitingMax: world.limits.mailboxMax,
        onFault: (fault, error) => this.#watch.noteFault(owner, fault, error),
      }),
      gateway: new GatewayConnection({ company: cardCompany, scheduler, faults, counters, owner }),
      clock: nodeClock,
      observer: this.#watch.observer(owner),
      shardCount: world.shardCount,
      limits: world.limits,
    });
    node.start();
    return node;
  }
}

const nameOf = (owner: number): string => `node-${owner}`;
