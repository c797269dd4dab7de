import type { ShardRecord } from '../../../src/actors/runtime/ports.ts';
import { Membership } from '../../../src/cluster/membership.ts';
import { MemoryRegistry, MemoryRegistryData } from '../../../src/cluster/memory/memory-registry.ts';
import {
  type Beat,
  type NodeRecord,
  type Registry,
  RegistryUnavailable,
  type RegistryView,
} from '../../../src/cluster/registry.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';

export const timing = { beatEveryMs: 500, leaseMs: 3_000 };

export const instanceIdOf = (nodeId: string, run = 1): string =>
  `${nodeId}/run-${run}@${nodeId}.example:8082`;

export function recordOf(instanceId: string, changes: Partial<NodeRecord> = {}): NodeRecord {
  const url = 'http://somewhere:8080';
  return { instanceId, version: '1', url, state: 'up', startedAtMs: 1, shards: [], moves: [], ...changes };
}

/** A node's way to the registry, which a test may cut, or slow down. */
class Way implements Registry {
  /** Nothing gets there, and the node hears so at once. */
  isCut = false;
  readonly beats: Beat[] = [];
  readonly #registry: Registry;
  #gate: PromiseWithResolvers<void> | undefined;
  #heldWay: 'there' | 'back' = 'back';

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Beats from now on wait for `release`, on their way there or back. */
  hold(heldWay: 'there' | 'back'): void {
    this.#heldWay = heldWay;
    this.#gate = Promise.withResolvers();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  async beat(beat: Beat): Promise<RegistryView> {
    this.beats.push(beat);
    const gate = this.#gate?.promise;
    const registry = this.#way();
    if (this.#heldWay === 'there') await gate;
    const view = await registry.beat(beat);
    await gate;
    return view;
  }

  async look(): Promise<RegistryView> {
    return this.#way().look();
  }

  async leave(instanceId: string): Promise<void> {
    return this.#way().leave(instanceId);
  }

  async advertise(shards: readonly ShardRecord[]): Promise<void> {
    return this.#way().advertise(shards);
  }

  async readShards(): Promise<readonly ShardRecord[]> {
    return this.#way().readShards();
  }

  #way(): Registry {
    if (this.isCut) throw new RegistryUnavailable('cut');
    return this.#registry;
  }
}

export class StagedNode {
  readonly instanceId: string;
  readonly way: Way;
  readonly membership: Membership;
  record: NodeRecord;
  changes = 0;

  constructor(nodeId: string, stage: MembershipStage, run: number) {
    this.instanceId = instanceIdOf(nodeId, run);
    this.record = recordOf(this.instanceId, { startedAtMs: run });
    this.way = new Way(new MemoryRegistry(stage.data));
    this.membership = new Membership({
      registry: this.way,
      clock: stage.clock,
      timing,
      instanceId: this.instanceId,
      describe: () => this.record,
    });
    this.membership.onChange(() => {
      this.changes += 1;
    });
  }

  /** Names of those that it sees. */
  get sees(): readonly string[] {
    return this.membership.live().map(({ instanceId }) => instanceId.split('/')[0] ?? '');
  }
}

/** Nodes whose clocks are one, and a registry with a clock of its own, which goes with it. */
export class MembershipStage {
  readonly clock = new ManualClock();
  registryLeadMs = 0;
  readonly data = new MemoryRegistryData({
    monotonicMs: () => this.clock.monotonicMs() + this.registryLeadMs,
  });
  readonly nodes: StagedNode[] = [];

  async join(nodeId: string, run = 1): Promise<StagedNode> {
    const node = this.add(nodeId, run);
    await node.membership.start();
    return node;
  }

  /** A node that has not begun to beat. */
  add(nodeId: string, run = 1): StagedNode {
    const node = new StagedNode(nodeId, this, run);
    this.nodes.push(node);
    return node;
  }

  pass(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** Redis can't be reached by anybody, or can again. */
  cut(isCut: boolean): void {
    for (const { way } of this.nodes) way.isCut = isCut;
  }

  /** Whom this node may take for dead now, of those that ever joined. */
  deadFor({ membership }: StagedNode): readonly string[] {
    if (!membership.mayJudge(this.clock.monotonicMs())) return [];
    return this.nodes.map(({ instanceId }) => instanceId).filter((id) => !membership.isLive(id));
  }
}
