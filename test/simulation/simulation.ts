import type { ShardId } from '../../src/actors/allocator/ids.ts';
import { Clients } from './clients.ts';
import { intrude } from './intruder.ts';
import { openHolds } from './model/journal-model.ts';
import { Nodes } from './nodes.ts';
import type { Action, Operation } from './operation.ts';
import { Prng } from './prng.ts';
import { settlePromises } from './scheduler.ts';
import { Surroundings } from './surroundings.ts';
import type { World } from './world.ts';

/** The simulated world of one run, moved by its script and by nothing else. */
export class Simulation extends Surroundings {
  readonly nodes: Nodes;
  readonly clients: Clients;

  constructor(world: World) {
    super(world);
    this.nodes = new Nodes(this);
    this.clients = new Clients(this, this.nodes);
  }

  async perform({ id, action, turns, salt }: Operation): Promise<void> {
    const prng = new Prng(salt);
    await this.#act(id, action);
    await settlePromises();
    for (let turn = 0; turn < turns; turn++) await this.turn(prng);
  }

  /** One step of the world. False when nothing was there to happen. */
  async turn(prng: Prng): Promise<boolean> {
    const task = this.scheduler.take(prng);
    this.clock.pass(prng.below(3));
    if (task === undefined) await settlePromises();
    else await this.nodes.run(task);
    await this.nodes.replaceEnded();
    return task !== undefined;
  }

  async #act(operationId: number, action: Action): Promise<void> {
    const note = (line: string) => this.trace.add(`#${operationId} ${line}`);
    switch (action.kind) {
      case 'pass':
        note(`${action.durationMs} ms pass`);
        return this.clock.pass(action.durationMs);
      case 'pass-to-expiry': {
        const durationMs = this.#untilExpiryMs() + action.offsetMs;
        if (!Number.isFinite(durationMs) || durationMs <= 0) return;
        note(`${durationMs} ms pass`);
        return this.clock.pass(durationMs);
      }
      case 'clock-jump':
        note(`the clock jumps by ${action.byMs} ms`);
        this.counters.add(action.byMs > 0 ? 'clock jumps forward' : 'clock jumps back');
        return this.jumpClock(action.byMs);
      case 'store-fails':
        note(`the next ${action.count} × ${action.call} will fail`);
        this.noteFault('store failures planned');
        return this.faults.failNext(action.call, action.count);
      case 'lose-answer':
        note(`the answer to the next commit will be lost: ${action.fate}`);
        this.noteFault('lost answers planned');
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
      case 'crash':
        note('kill -9; a new node starts');
        return this.nodes.crash(action.fate, action.delayTurns);
      case 'freeze':
        note('the node hangs; a new one starts');
        return this.nodes.freeze();
      case 'stop':
        note('SIGTERM');
        return this.nodes.stop();
      case 'intrude':
        note(`another owner takes shard ${action.shard}`);
        this.noteFault('intrusions');
        return intrude(this.world, this.database, action.shard as ShardId, {
          name: `intruder-${operationId}`,
          sells: action.sells,
          wallMs: this.clock.wallMs,
        });
      case 'project':
        return this.project(action.eventCount);
      default:
        return this.clients.act(operationId, action);
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
