import { expect } from 'vitest';
import type { ShardId } from '../../../src/actors/allocator/ids.ts';
import type { Placement, PlacementNode, PlacementShard } from '../../../src/cluster/placement.ts';

/** `a b! c`: three nodes, each in its first run; b drains. */
export const nodesNamed = (names: string): PlacementNode[] =>
  names.split(' ').map((name) => {
    const nodeId = name.replace('!', '');
    return { nodeId, instanceId: `${nodeId}/1`, isDraining: name.endsWith('!') };
  });

/** Who has which shards. Weighs them by the rules of placement.ts, in fractions of the whole. */
export class Layout {
  nodes: readonly PlacementNode[];
  shards: readonly PlacementShard[];

  constructor(
    nodes: readonly PlacementNode[],
    shardCount: number,
    rates: (shard: number) => number = () => 0,
  ) {
    this.nodes = nodes;
    this.shards = Array.from({ length: shardCount }, (_, shard) => ({
      shardId: shard as ShardId,
      owner: undefined,
      requestsPerSecond: rates(shard),
    }));
  }

  setRates(rates: (shard: number) => number): void {
    this.shards = this.shards.map((shard) => ({ ...shard, requestsPerSecond: rates(shard.shardId) }));
  }

  carryOut(placements: readonly Placement[]): void {
    const owners = new Map(placements.map(({ shardId, to }) => [shardId, to.instanceId]));
    this.shards = this.shards.map((shard) => ({ ...shard, owner: owners.get(shard.shardId) ?? shard.owner }));
  }

  of(instanceId: string): readonly PlacementShard[] {
    return this.shards.filter(({ owner }) => owner === instanceId);
  }

  owners(): ReadonlyMap<ShardId, string | undefined> {
    return new Map(this.shards.map(({ shardId, owner }) => [shardId, owner]));
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.nodes.map(({ instanceId }) => [instanceId, this.of(instanceId).length] as const).sort(),
    );
  }

  /** Between the heaviest and the lightest node. */
  spread(): number {
    const weights = this.#loads().map(({ weight }) => weight);
    return Math.max(...weights) - Math.min(...weights);
  }

  squares(): number {
    return this.#loads().reduce((sum, { weight }) => sum + weight ** 2, 0);
  }

  /** What nodes weigh beyond the mean: no less has to move to make them even. */
  excess(): number {
    const loads = this.#loads();
    const mean = loads.reduce((sum, { weight }) => sum + weight, 0) / loads.length;
    return loads.reduce((sum, { weight }) => sum + Math.max(0, weight - mean), 0);
  }

  weightOf(placements: readonly Placement[]): number {
    const moved = new Set(placements.map(({ shardId }) => shardId));
    return this.shards
      .filter(({ shardId }) => moved.has(shardId))
      .reduce((sum, shard) => sum + this.#weightOf(shard), 0);
  }

  /**
   * What placement.ts promises, of the nodes that take shards. @returns how many are hot.
   */
  expectBalanced(): number {
    const loads = this.#withoutHot();
    const mean = loads.reduce((sum, { weight }) => sum + weight, 0) / loads.length;
    const [heaviest] = loads;
    if (heaviest !== undefined) {
      const lightestShard = heaviest.shards.at(-1) ?? 0;
      expect(heaviest.weight).toBeLessThanOrEqual(Math.max(1.05 * mean, mean + lightestShard) + rounding);
    }
    return this.#loads().length - loads.length;
  }

  #withoutHot(): Load[] {
    const loads = this.#loads();
    while (loads.length > 0) {
      const mean = loads.reduce((sum, { weight }) => sum + weight, 0) / loads.length;
      if ((loads[0]?.shards[0] ?? 0) <= mean) return loads;
      loads.shift();
    }
    return loads;
  }

  /** Of the nodes that take shards, the heaviest first. */
  #loads(): Load[] {
    return this.nodes
      .filter(({ isDraining }) => !isDraining)
      .map(({ instanceId }) => {
        const shards = this.of(instanceId)
          .map((shard) => this.#weightOf(shard))
          .sort((a, b) => b - a);
        return { shards, weight: shards.reduce((sum, weight) => sum + weight, 0) };
      })
      .sort((a, b) => b.weight - a.weight);
  }

  #weightOf({ requestsPerSecond }: PlacementShard): number {
    const all = this.shards.reduce((sum, shard) => sum + shard.requestsPerSecond, 0);
    const byCount = 1 / this.shards.length;
    const part = Math.min(1, all / 100) / 2;
    return all === 0 ? byCount : byCount * (1 - part) + (requestsPerSecond / all) * part;
  }
}

interface Load {
  /** Weights, the heaviest first. */
  readonly shards: readonly number[];
  readonly weight: number;
}

const rounding = 1e-9;
