import type { ShardId } from '../../src/actors/allocator/ids.ts';
import { Clients } from './clients.ts';
import { intrude } from './intruder.ts';
import { Nodes } from './nodes.ts';
import type { Operation } from './operation.ts';
import type { Prng } from './prng.ts';
import type { Task } from './scheduler.ts';
import { type OwnAction, Simulation } from './simulation.ts';
import type { World } from './world.ts';

/** Turns that the first node has for its start. */
const startTurns = 20;

/** A world in which one node at a time owns all shards, until somebody takes one from it. */
export class OneNodeSimulation extends Simulation {
  readonly nodes: Nodes;
  readonly clients: Clients;

  constructor(world: World) {
    super(world);
    this.nodes = new Nodes(this);
    this.clients = new Clients(this, this.nodes);
  }

  async begin(prng: Prng): Promise<void> {
    for (let turn = 0; turn < startTurns; turn++) await this.turn(prng);
  }

  protected runTask(task: Task): Promise<void> {
    return this.nodes.run(task);
  }

  protected tidyUp(): Promise<void> {
    return this.nodes.replaceEnded();
  }

  protected actHere({ id }: Operation, action: OwnAction): void | Promise<void> {
    const note = (line: string) => this.trace.add(`#${id} ${line}`);
    switch (action.kind) {
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
          name: `intruder-${id}`,
          sells: action.sells,
          wallMs: this.clock.wallMs,
        });
      default:
        throw new RangeError(`there is one node here, and no ${action.kind}`);
    }
  }
}
