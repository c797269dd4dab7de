import type { ReservationNumber, ScheduleId, ShardId } from '../../src/actors/allocator/ids.ts';
import { CommitOutcomeUnknown, StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { type RuntimeObserver, silentObserver } from '../../src/actors/runtime/runtime-observer.ts';
import { Counters } from './counters.ts';
import { type Answer, type Call, History, type Request, seqShownBy } from './history.ts';
import { intrude } from './intruder.ts';
import { openHolds } from './model/journal-model.ts';
import { NodeClock } from './node-clock.ts';
import type { Action, ClientAction, CommitFate, Operation } from './operation.ts';
import { Prng } from './prng.ts';
import { toRequest, withOtherBody } from './requests.ts';
import { Scheduler, settlePromises, type Task } from './scheduler.ts';
import { SimulatedNode } from './simulated-node.ts';
import { Database } from './store/database.ts';
import { FaultPlan } from './store/fault-plan.ts';
import { StoreConnection } from './store/store-connection.ts';
import { describeAnswer, describeRequest, Trace } from './trace.ts';
import type { Violation } from './violation.ts';
import { VirtualClock } from './virtual-clock.ts';
import { startWallMs, type World } from './world.ts';

/**
 * The simulated world of one run: clients, one node that serves them, at most one frozen predecessor, and
 * the database. Its owner performs operations one after the other; nothing else moves it.
 */
export class Simulation {
  readonly world: World;
  readonly clock = new VirtualClock(startWallMs);
  readonly scheduler = new Scheduler(this.clock);
  readonly database: Database;
  readonly faults = new FaultPlan();
  readonly history = new History();
  readonly counters = new Counters();
  readonly trace = new Trace();
  /** What was seen to be wrong while it happened; the checks of the history come on top. */
  readonly violations: Violation[] = [];

  node: SimulatedNode;
  #zombie: SimulatedNode | undefined;
  #nodeCount = 0;
  #hasFaulted = false;
  /** What each operation sent, for retries. */
  readonly #requests = new Map<number, Request>();
  /** The reservation that each operation was given. */
  readonly #numbers = new Map<number, ReservationNumber>();

  constructor(world: World) {
    this.world = world;
    this.database = new Database(world, this.clock, (error) => this.violate('I6', `rows refused: ${error}`));
    this.node = this.#startNode();
  }

  async perform(operation: Operation): Promise<void> {
    const prng = new Prng(operation.salt);
    await this.#act(operation.id, operation.action);
    await settlePromises();
    for (let turn = 0; turn < operation.turns; turn++) await this.turn(prng);
  }

  /** One step of the world. False when nothing was there to happen. */
  async turn(prng: Prng): Promise<boolean> {
    const task = this.scheduler.take(prng);
    this.clock.pass(prng.below(3));
    if (task === undefined) await settlePromises();
    else await this.#run(task);
    await this.#tend();
    return task !== undefined;
  }

  /** Undefined when no node could be reached. */
  ask(operationId: number, request: Request): Call | undefined {
    const { node } = this;
    if (!node.isUp) {
      this.counters.add('asked while no node was up');
      return undefined;
    }
    const { wallMs } = this.clock;
    const call = this.history.open({
      operationId,
      node: node.owner,
      request,
      projectedRows: this.database.projectedRows(request.scheduleId),
      wallMinMs: wallMs,
      wallMaxMs: wallMs,
      mayBeRefused: this.#hasFaulted,
    });
    this.trace.add(`#${operationId} ${describeRequest(request)}`);
    this.counters.add(`asked: ${request.kind === 'submit' ? request.intent.kind : request.kind}`);
    try {
      node.ask(request, (content) => {
        this.history.noteWall(this.clock.wallMs);
        this.trace.add(`    #${operationId} is told: ${describeAnswer(content)}`);
        this.history.answer(call, {
          content,
          durableRows: this.database.model(request.scheduleId).length,
          latestWallMs: this.clock.latestWallMs,
          isOwner: this.owns(node, request.scheduleId),
        });
        this.#noteAnswer(operationId, node, request, content);
      });
    } catch (error) {
      this.violate('no-bug-caught', `the call threw: ${error}`);
    }
    return call;
  }

  /** kill -9, and a new process at once. */
  crash(fate: CommitFate, delayTurns: number, zombie: boolean): void {
    this.killZombie();
    this.#fault(zombie ? 'zombies' : 'crashes');
    const old = this.node;
    if (zombie) this.#zombie = old;
    else this.#bury(old, fate, delayTurns);
    this.node = this.#startNode();
  }

  killZombie(): void {
    if (this.#zombie !== undefined) this.#bury(this.#zombie, 'not-landed', 0);
    this.#zombie = undefined;
  }

  /** By the database's word, not by the node's. */
  owns(node: SimulatedNode, scheduleId: ScheduleId): boolean {
    return this.database.ownerOf(this.database.shardOf(scheduleId)) === node.instanceId;
  }

  jumpClock(byMs: number): void {
    this.history.noteWall(this.clock.wallMs);
    this.clock.jump(byMs);
    this.history.noteWall(this.clock.wallMs);
  }

  violate(invariant: Violation['invariant'], message: string): void {
    this.trace.add(`!! ${invariant}: ${message}`);
    this.violations.push({ invariant, message });
  }

  async #act(operationId: number, action: Action): Promise<void> {
    switch (action.kind) {
      case 'pass':
        return this.#pass(action.durationMs);
      case 'pass-to-expiry':
        return this.#passToExpiry(action.offsetMs);
      case 'clock-jump':
        this.counters.add(action.byMs > 0 ? 'clock jumps forward' : 'clock jumps back');
        this.trace.add(`#${operationId} the clock jumps by ${action.byMs} ms`);
        return this.jumpClock(action.byMs);
      case 'store-fails':
        this.#hasFaulted = true;
        this.history.noteFault();
        this.trace.add(`#${operationId} the next ${action.count} × ${action.call} will fail`);
        return this.faults.failNext(action.call, action.count);
      case 'lose-answer':
        this.#hasFaulted = true;
        this.history.noteFault();
        this.trace.add(`#${operationId} the answer to the next commit will be lost: ${action.fate}`);
        this.faults.loseNext(action);
        return this.faults.failNext('resolve', action.resolveFailures);
      case 'crash':
        this.trace.add(`#${operationId} ${action.zombie ? 'the node freezes' : 'kill -9'}; a new one starts`);
        return this.crash(action.fate, action.delayTurns, action.zombie);
      case 'stop':
        this.trace.add(`#${operationId} SIGTERM`);
        this.#fault('stops');
        this.killZombie();
        return this.node.stop();
      case 'intrude':
        this.trace.add(`#${operationId} another owner takes shard ${action.shard}`);
        this.#fault('intrusions');
        return intrude(this.world, this.database, action.shard as ShardId, {
          name: `intruder-${operationId}`,
          sells: action.sells,
          wallMs: this.clock.wallMs,
        });
      case 'project':
        return this.#project(action.eventCount);
      default:
        return this.#askFor(operationId, action);
    }
  }

  #askFor(operationId: number, action: ClientAction): void {
    let request: Request | undefined;
    if (action.kind === 'retry') {
      const first = this.#requests.get(action.request);
      request = first && action.otherBody ? withOtherBody(this.world, first) : first;
    } else {
      request = toRequest(this.world, action, (hold, scheduleId) => this.#numberOf(hold, scheduleId));
      this.#requests.set(operationId, request);
    }
    if (request !== undefined) this.ask(operationId, request);
  }

  /** What the hold was answered, or else a guess that may be right. */
  #numberOf(holdOperation: number, scheduleId: ScheduleId): ReservationNumber {
    const guess = Math.max(1, this.database.model(scheduleId).latest.lastNumber) as ReservationNumber;
    return this.#numbers.get(holdOperation) ?? guess;
  }

  #noteAnswer(operationId: number, node: SimulatedNode, request: Request, content: Answer): void {
    const code =
      content.kind === 'rejected'
        ? content.rejection.code
        : content.kind === 'unavailable'
          ? content.code
          : content.kind;
    const replayed = content.kind === 'reservation' && content.replayed;
    this.counters.add(`told: ${replayed ? 'replayed' : code}`);
    // What a frozen predecessor still tells its own clients binds nobody who asks its successor.
    if (node === this.node) this.history.noteSeen(request.scheduleId, this.#seqShownBy(request, content));
    if (content.kind === 'reservation') this.#numbers.set(operationId, content.view.number);
  }

  #seqShownBy(request: Request, content: Answer): number {
    if (content.kind !== 'cancelled' || request.kind !== 'submit' || request.intent.kind !== 'cancel') {
      return seqShownBy(content);
    }
    const { reservations } = this.database.model(request.scheduleId).latest;
    return reservations.get(request.intent.number)?.seq ?? 0;
  }

  #project(eventCount: number): void {
    try {
      this.database.store.projectSome(eventCount);
    } catch (error) {
      this.violate('I11', `the journal can't be projected: ${error}`);
    }
  }

  #pass(durationMs: number): void {
    this.trace.add(`${durationMs} ms pass`);
    this.clock.pass(durationMs);
  }

  #passToExpiry(offsetMs: number): void {
    const expiries = [...this.database.models.values()].flatMap((model) =>
      openHolds(model.latest).map((hold) => hold.expiresAtMs),
    );
    const durationMs = Math.min(...expiries) + offsetMs - this.clock.wallMs;
    if (Number.isFinite(durationMs) && durationMs > 0) this.#pass(durationMs);
  }

  async #run(task: Task): Promise<void> {
    this.trace.add(
      `  [${this.scheduler.turn}] ${task.owner === 0 ? 'server' : `node ${task.owner}`}: ${task.label}`,
    );
    const { node } = this;
    const actorsBefore = node.directory.stats().actors;
    try {
      task.run();
    } catch (error) {
      this.violate('no-bug-caught', `a ${task.label} threw: ${error}`);
    }
    await settlePromises();
    if (node.directory.stats().actors < actorsBefore) this.counters.add('actors put to sleep');
  }

  /** Restarts what has ended by itself: a start that failed, a stop that is done. */
  async #tend(): Promise<void> {
    const { node } = this;
    if (node.phase === 'failed') {
      this.counters.add('starts failed');
      this.scheduler.dropTasksOf(node.owner);
      this.node = this.#startNode();
    }
    if (node.phase !== 'stopped') return;
    for (let task = this.scheduler.takeOf(node.owner); task; task = this.scheduler.takeOf(node.owner)) {
      await this.#run(task);
    }
    for (const call of this.history.openCallsOf(node.owner)) {
      this.violate('one-answer', `the node stopped and #${call.operationId} was never answered`);
    }
    this.#bury(node, 'not-landed', 0);
    this.node = this.#startNode();
  }

  #bury(node: SimulatedNode, fate: CommitFate, delayTurns: number): void {
    node.connection.sever(fate, delayTurns);
    this.scheduler.dropTasksOf(node.owner);
    this.history.lose(node.owner);
  }

  #fault(name: string): void {
    this.#hasFaulted = true;
    this.history.noteFault();
    this.counters.add(name);
  }

  #startNode(): SimulatedNode {
    this.#nodeCount += 1;
    const owner = this.#nodeCount;
    const { world, database, scheduler, faults, counters } = this;
    const connection = new StoreConnection({
      database,
      scheduler,
      faults,
      counters,
      owner,
    });
    const node = new SimulatedNode({
      owner,
      connection,
      clock: new NodeClock(owner, this.clock, scheduler),
      observer: this.#observer(owner),
      shardCount: world.shardCount,
      limits: world.limits,
    });
    node.start();
    return node;
  }

  #observer(owner: number): RuntimeObserver {
    return {
      ...silentObserver,
      onBatch: (rows, _durationMs, outcome) => {
        this.counters.add(`batches ${outcome}`);
        if (rows > 1) this.counters.add('batches of several rows');
      },
      onDecision: (kind, code) => this.counters.add(`decided: ${kind} ${code}`),
      onRecovery: () => this.counters.add('recoveries'),
      onFault: (fault, error) => {
        this.trace.add(`    node ${owner} reports: ${fault}: ${error}`);
        if (error instanceof StoreUnavailable || error instanceof CommitOutcomeUnknown) return;
        this.violate('no-bug-caught', `${fault}: ${error}`);
      },
    };
  }
}
