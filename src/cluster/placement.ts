import type { ShardId } from '../actors/allocator/ids.ts';
import { affinity } from './affinity.ts';

/**
 * Which node should have which shard. Pure: the same nodes, shards and rates give the same answer on every node, in
 * whatever order they come, so that two who think they coordinate order the same.
 *
 * A shard weighs by count and by what is asked of it: (1 − m) ÷ n of n shards, and m of its part of all requests. m is
 * a half at 100 requests a second or more in all, and less in proportion below: two requests say nothing about
 * where the load is. Weights are integers, so that no sum depends on its order.
 *
 * Nobody is given a shard who drains, or who isn't there; without such a node the answer is empty. A shard is
 * moved where its owner is among the nodes and does not drain (`planRebalance`), or is the one that drains
 * (`planDrain`): of a shard that is on its way, say that its taker owns it.
 */
export interface PlacementNode {
  readonly nodeId: string;
  readonly instanceId: string;
  readonly isDraining: boolean;
}

export interface PlacementShard {
  readonly shardId: ShardId;
  /** instanceId; undefined: nobody's. */
  readonly owner: string | undefined;
  readonly requestsPerSecond: number;
}

export interface Placement {
  readonly shardId: ShardId;
  readonly to: PlacementNode;
}

export interface PlacementMove extends Placement {
  readonly from: PlacementNode;
}

/**
 * A node for each shard whose owner is none of the nodes: the heaviest shard first, each to the node that is the
 * lightest by then; of equal ones to the shard's favourite (affinity.ts). Others stay where they are.
 */
export function placeOrphans(
  nodes: readonly PlacementNode[],
  shards: readonly PlacementShard[],
): readonly Placement[] {
  const hosts = hostsOf(nodes, shards);
  const known = new Set(nodes.map(({ instanceId }) => instanceId));
  return spread(
    weigh(shards).filter(({ owner }) => owner === undefined || !known.has(owner)),
    hosts,
  );
}

/** All shards of the node, to the others, as `placeOrphans` would. */
export function planDrain(
  instanceId: string,
  nodes: readonly PlacementNode[],
  shards: readonly PlacementShard[],
): readonly PlacementMove[] {
  const from = nodes.find((node) => node.instanceId === instanceId);
  if (from === undefined) return [];
  const hosts = hostsOf(
    nodes.filter((node) => node !== from),
    shards,
  );
  const own = weigh(shards).filter(({ owner }) => owner === instanceId);
  return spread(own, hosts).map((placement) => ({ ...placement, from }));
}

/**
 * The moves that even out a spread that is uneven; none for one that is not.
 *
 * The step: of the nodes that are looked at, μ being their mean, the heaviest H and the lightest L. Where H ≤ (1 + t)μ
 * and L ≥ (1 − t)μ: done. Else a shard with w < H − L moves from H to L: the heaviest one with w ≤ min(H − μ, μ − L),
 * which takes neither node across the mean; where there is none, the lightest. Where H has no shard with w < H − L,
 * nothing about H can be improved: it is set aside, and the others go on among themselves. A plan is made when a step
 * with t = 5 % would move something, and then goes on with t = 1 %.
 *
 * A hot node is one with a shard that alone outweighs μ. It can't come down to the mean, and moving the hot shard
 * would only change who is hot. What helps it is that what is asked of its other shards is asked elsewhere; idle ones
 * take nothing from it, and stay. So it gives away the heaviest of the others while what is asked of all of them
 * weighs more than tμ, or they weigh more than (1 + t) of the mean of the other nodes; then it is set aside. The
 * others are measured by their own mean, not by one that they can't reach.
 *
 * Why this is right:
 * - It ends: w < H − L makes (H − w)² + (L + w)² < H² + L², and of integers that happens only so often. (At a hot
 *   node, H ≥ hot + w > μ + w ≥ L + w.) So each move reduces the imbalance of its two nodes, and none goes back.
 * - The bound: afterwards the heaviest of the nodes without the hot ones weighs at most max(1.05 μ, μ + its lightest
 *   shard): it is within t, or each of its shards weighs ≥ H − L, and L ≤ μ.
 * - Planned again after it was carried out, it is empty: no step with 1 % moved anything any more, and one with 5 %
 *   sets the same nodes aside, in the same order, and is content no later.
 */
export function planRebalance(
  nodes: readonly PlacementNode[],
  shards: readonly PlacementShard[],
): readonly PlacementMove[] {
  const hosts = hostsOf(nodes, shards);
  if (nextStep(hosts, startsBeyond) === undefined) return [];
  const givers = new Map(hosts.flatMap(({ node, shards }) => shards.map(({ shardId }) => [shardId, node])));
  for (;;) {
    const step = nextStep(hosts, endsWithin);
    if (step === undefined) break;
    step.from.give(step.shard, step.to);
  }
  return hosts
    .flatMap(({ node: to, shards }) =>
      shards.map(({ shardId }) => ({ shardId, from: givers.get(shardId) as PlacementNode, to })),
    )
    .filter(({ from, to }) => from !== to)
    .sort((a, b) => a.shardId - b.shardId);
}

const startsBeyond = 0.05;
const endsWithin = 0.01;

/** From so many on, requests of all shards together weigh a half. */
const tellingRequestsPerSecond = 100;

/** All weights of a cluster together, but for what rounding leaves. */
const weightTotal = 2 ** 40;

interface WeighedShard {
  readonly shardId: ShardId;
  readonly owner: string | undefined;
  readonly weight: number;
  /** The part of it that is due to requests. */
  readonly measured: number;
}

/** By weight, the heaviest first. */
function weigh(shards: readonly PlacementShard[]): readonly WeighedShard[] {
  // In the order of shards, for the sake of the last bit of their sum.
  const inOrder = shards.toSorted((a, b) => a.shardId - b.shardId);
  const requests = inOrder.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0);
  const part = Math.min(1, requests / tellingRequestsPerSecond) / 2;
  return inOrder
    .map(({ shardId, owner, requestsPerSecond }) => {
      const measured = requests > 0 ? Math.round((weightTotal * part * requestsPerSecond) / requests) : 0;
      const counted = Math.round((weightTotal * (1 - part)) / shards.length);
      return { shardId, owner, weight: counted + measured, measured };
    })
    .sort((a, b) => b.weight - a.weight || a.shardId - b.shardId);
}

/** A node that takes shards, and what it has. */
class Host {
  readonly node: PlacementNode;
  /** The heaviest first. */
  readonly shards: WeighedShard[];
  weight: number;

  constructor(node: PlacementNode, shards: WeighedShard[]) {
    this.node = node;
    this.shards = shards;
    this.weight = shards.reduce((sum, { weight }) => sum + weight, 0);
  }

  take(shard: WeighedShard): void {
    const at = this.shards.findIndex(
      ({ weight, shardId }) => weight < shard.weight || (weight === shard.weight && shardId > shard.shardId),
    );
    this.shards.splice(at === -1 ? this.shards.length : at, 0, shard);
    this.weight += shard.weight;
  }

  give(shard: WeighedShard, to: Host): void {
    this.shards.splice(this.shards.indexOf(shard), 1);
    this.weight -= shard.weight;
    to.take(shard);
  }
}

function hostsOf(nodes: readonly PlacementNode[], shards: readonly PlacementShard[]): readonly Host[] {
  const weighed = Map.groupBy(weigh(shards), ({ owner }) => owner);
  return nodes
    .filter(({ isDraining }) => !isDraining)
    .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1))
    .map((node) => new Host(node, weighed.get(node.instanceId) ?? []));
}

function spread(shards: readonly WeighedShard[], hosts: readonly Host[]): readonly Placement[] {
  if (hosts.length === 0) return [];
  return shards.map((shard) => {
    const lightest = Math.min(...hosts.map(({ weight }) => weight));
    const { to } = bestPair(
      [shard],
      hosts.filter(({ weight }) => weight === lightest),
    );
    to.take(shard);
    return { shardId: shard.shardId, to: to.node };
  });
}

interface Step {
  readonly shard: WeighedShard;
  readonly from: Host;
  readonly to: Host;
}

function nextStep(hosts: readonly Host[], tolerance: number): Step | undefined {
  const open = hosts.toSorted((a, b) => b.weight - a.weight);
  for (; open.length > 1; open.shift()) {
    const from = open[0] as Host;
    const lightest = (open.at(-1) as Host).weight;
    const sum = open.reduce((weight, host) => weight + host.weight, 0);
    const mean = sum / open.length;
    if (from.weight <= (1 + tolerance) * mean && lightest >= (1 - tolerance) * mean) return undefined;
    const [first] = from.shards;
    const isHot = first !== undefined && first.weight > mean;
    const meanOfOthers = (sum - from.weight) / (open.length - 1);
    const weight = isHot
      ? besideHot(from.shards.slice(1), tolerance * mean, (1 + tolerance) * meanOfOthers)
      : weightToMove(from, lightest, mean);
    if (weight === undefined) continue;
    const givable = from.shards.filter((shard) => shard.weight === weight);
    return {
      from,
      ...bestPair(
        givable,
        open.filter((host) => host.weight === lightest),
      ),
    };
  }
  return undefined;
}

function weightToMove(from: Host, lightest: number, mean: number): number | undefined {
  const fitting = Math.min(from.weight - mean, mean - lightest);
  const { weight = Number.POSITIVE_INFINITY } =
    from.shards.find((shard) => shard.weight <= fitting) ?? from.shards.at(-1) ?? {};
  return weight < from.weight - lightest ? weight : undefined;
}

function besideHot(
  others: readonly WeighedShard[],
  measuredMax: number,
  weightMax: number,
): number | undefined {
  const measured = others.reduce((sum, shard) => sum + shard.measured, 0);
  const weight = others.reduce((sum, shard) => sum + shard.weight, 0);
  return measured > measuredMax || weight > weightMax ? others[0]?.weight : undefined;
}

/** Of equal shards and equal nodes, the two that like each other best. */
function bestPair(
  shards: readonly WeighedShard[],
  hosts: readonly Host[],
): { readonly shard: WeighedShard; readonly to: Host } {
  const pairs = shards.flatMap((shard) =>
    hosts.map((to) => ({ shard, to, affinity: affinity(to.node.nodeId, shard.shardId) })),
  );
  return pairs.reduce((best, pair) => (pair.affinity > best.affinity ? pair : best));
}
