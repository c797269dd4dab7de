import type { Clients } from './clients.ts';
import { openHolds } from './model/journal-model.ts';
import type { Action, ClientAction, Operation } from './operation.ts';
import { Prng } from './prng.ts';
import { settlePromises, type Task } from './scheduler.ts';
import { Surroundings } from './surroundings.ts';

/** The simulated world of one run, moved by its script and by nothing else. */
export abstract class Simulation extends Surroundings {
  abstract readonly clients: Clients;

  /** Before the script. */
  abstract begin(prng: Prng): Promise<void>;

  /** One task of a node or a server, and what follows from it at once. */
  protected abstract runTask(task: Task): Promise<void>;

  /** What has ended by itself makes way. */
  protected abstract tidyUp(): Promise<void>;

  /** What only this kind of world has. */
  protected abstract actHere(operation: Operation, action: OwnAction, prng: Prng): void | Promise<void>;

  async perform(operation: Operation): Promise<void> {
    const prng = new Prng(operation.salt);
    await this.#act(operation, prng);
    await settlePromises();
    for (let turn = 0; turn < operation.turns; turn++) await this.turn(prng);
  }

  /** One step of the world. False when nothing was there to happen. */
  async turn(prng: Prng): Promise<boolean> {
    const task = this.scheduler.take(prng);
    this.clock.pass(prng.below(3));
    if (task === undefined) await settlePromises();
    else await this.runTask(task);
    await this.tidyUp();
    return task !== undefined;
  }

  /** Until `isDone`, or until nothing happens for so long. Time passes only when there is nothing else to do. */
  async runFor(prng: Prng, durationMs: number, isDone: () => boolean): Promise<void> {
    const { scheduler, clock } = this;
    const endMs = clock.monotonicMs + durationMs;
    for (let turn = 0; turn < turnsMax && !isDone(); turn++) {
      if (await this.turn(prng)) continue;
      if (scheduler.isBusy) continue;
      const nextMs = scheduler.nextTimerMs;
      if (nextMs === undefined || clock.monotonicMs + nextMs > endMs) return;
      clock.pass(nextMs);
    }
  }

  /** The store is about to fail. */
  protected onStoreFault(): void {}

  /** Lets time go by. */
  protected async pass(durationMs: number, _prng: Prng): Promise<void> {
    this.clock.pass(durationMs);
  }

  async #act(operation: Operation, prng: Prng): Promise<void> {
    const { id, action } = operation;
    const note = (line: string) => this.trace.add(`#${id} ${line}`);
    switch (action.kind) {
      case 'pass':
        note(`${action.durationMs} ms pass`);
        return this.pass(action.durationMs, prng);
      case 'pass-to-expiry': {
        const durationMs = this.#untilExpiryMs() + action.offsetMs;
        if (!Number.isFinite(durationMs) || durationMs <= 0) return;
        note(`${durationMs} ms pass`);
        return this.pass(durationMs, prng);
      }
      case 'clock-jump':
        note(`the clock jumps by ${action.byMs} ms`);
        this.counters.add(action.byMs > 0 ? 'clock jumps forward' : 'clock jumps back');
        return this.jumpClock(action.byMs);
      case 'store-fails':
        note(`the next ${action.count} × ${action.call} will fail`);
        this.noteFault('store failures planned');
        this.onStoreFault();
        return this.faults.failNext(action.call, action.count);
      case 'lose-answer':
        note(`the answer to the next commit will be lost: ${action.fate}`);
        this.noteFault('lost answers planned');
        this.onStoreFault();
        this.faults.loseNext(action);
        return this.faults.failNext('resolve', action.resolveFailures);
      case 'worker-dies':
        note(`a ledger worker will die over its next batch: ${action.fate}`);
        this.noteFault('worker deaths planned');
        return this.faults.killWorker(action);
      case 'gateway-fails':
        note(`the next ${action.count} calls of the gateway go wrong: ${action.fate}`);
        this.noteFault('gateway failures planned');
        return this.faults.breakGateway(action, action.count);
      case 'gateway-rests':
        note(`the gateway's breaker is open for ${action.count} payments`);
        this.noteFault('gateway rests planned');
        return this.faults.restGateway(action.count);
      case 'project':
        return this.project(action.eventCount);
      case 'hold':
      case 'hold-best':
      case 'extend':
      case 'pay':
      case 'charge':
      case 'cancel':
      case 'read':
      case 'availability':
      case 'count':
      case 'audit':
      case 'block':
      case 'unblock':
      case 'retry':
        return this.clients.act(id, action, operation.node);
      default:
        return this.actHere(operation, action, prng);
    }
  }

  /** Until the first open hold is due; Infinity when there is none. */
  #untilExpiryMs(): number {
    const expiries = [...this.database.models.values()].flatMap((model) =>
      openHolds(model.latest).map((hold) => hold.expiresAtMs),
    );
    return Math.min(...expiries) - this.clock.wallMs;
  }
}

/** More than any healthy run needs; a run that needs more goes round in circles. */
const turnsMax = 20_000;

/** What happens in every kind of world. */
type SharedAction = Extract<
  Action,
  {
    readonly kind:
      | 'pass'
      | 'pass-to-expiry'
      | 'clock-jump'
      | 'store-fails'
      | 'lose-answer'
      | 'worker-dies'
      | 'gateway-fails'
      | 'gateway-rests'
      | 'project';
  }
>;

export type OwnAction = Exclude<Action, SharedAction | ClientAction>;
