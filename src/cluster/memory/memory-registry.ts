import type { ShardId } from '../../actors/allocator/ids.ts';
import type { Clock, ShardRecord } from '../../actors/runtime/ports.ts';
import type { Beat, NodeRecord, Registry, RegistryView } from '../registry.ts';

/** What a registry remembers: several nodes share it, and a simulation makes it forget. */
export class MemoryRegistryData {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly nodes = new Map<string, KeptNode>();
  readonly shards = new Map<ShardId, ShardRecord>();
  coordinatorId: string | undefined;
  generation = '';
  shardsVersion = '';
  #names = 0;

  /** @param clock the registry's own. */
  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** Never used before. */
  newName(): string {
    this.#names += 1;
    return `${this.#names}`;
  }

  loseEverything(): void {
    this.loseNodes();
    this.loseShards();
  }

  /** As a full Redis drops a key: the generation and the coordinator go with them. */
  loseNodes(): void {
    this.nodes.clear();
    this.coordinatorId = undefined;
    this.generation = '';
  }

  loseShards(): void {
    this.shards.clear();
    this.shardsVersion = '';
  }
}

/** Takes the effect of a call before it returns. What fails, and when, is the simulation's to decide around it. */
export class MemoryRegistry implements Registry {
  readonly #data: MemoryRegistryData;

  constructor(data: MemoryRegistryData) {
    this.#data = data;
  }

  async beat({ record, leaseMs, wantsToCoordinate }: Beat): Promise<RegistryView> {
    const data = this.#data;
    const { instanceId } = record;
    const nowMs = data.nowMs();
    data.nodes.set(instanceId, {
      record: structuredClone(record),
      beatAtMs: nowMs,
      endsAtMs: nowMs + leaseMs,
    });
    if (data.generation === '') data.generation = data.newName();
    for (const [name, { endsAtMs }] of data.nodes) if (endsAtMs <= nowMs) data.nodes.delete(name);
    const coordinatorId = this.#view().coordinatorId;
    if (wantsToCoordinate) data.coordinatorId = coordinatorId ?? instanceId;
    else if (coordinatorId === instanceId) data.coordinatorId = undefined;
    return this.#view();
  }

  async look(): Promise<RegistryView> {
    return this.#view();
  }

  async leave(instanceId: string): Promise<void> {
    this.#data.nodes.delete(instanceId);
  }

  async advertise(shards: readonly ShardRecord[]): Promise<void> {
    const data = this.#data;
    let isChanged = false;
    for (const { shardId, epoch, owner } of shards) {
      if ((data.shards.get(shardId)?.epoch ?? -1) >= epoch) continue;
      data.shards.set(shardId, { shardId, epoch, owner });
      isChanged = true;
    }
    if (isChanged) data.shardsVersion = data.newName();
  }

  async readShards(): Promise<readonly ShardRecord[]> {
    return [...this.#data.shards.values()].sort((a, b) => a.shardId - b.shardId);
  }

  #view(): RegistryView {
    const { nodes, coordinatorId, shardsVersion, generation } = this.#data;
    const nowMs = this.#data.nowMs();
    const live = [...nodes.values()].filter(({ endsAtMs }) => endsAtMs > nowMs);
    const isLive = live.some(({ record }) => record.instanceId === coordinatorId);
    return {
      nodes: live
        .map(({ record, beatAtMs }) => ({ ...structuredClone(record), heartbeatAgeMs: nowMs - beatAtMs }))
        .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1)),
      coordinatorId: isLive ? coordinatorId : undefined,
      shardsVersion,
      generation,
    };
  }
}

interface KeptNode {
  readonly record: NodeRecord;
  readonly beatAtMs: number;
  readonly endsAtMs: number;
}
