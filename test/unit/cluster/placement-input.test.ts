import { expect, test } from 'vitest';
import {
  plannedDrain,
  plannedRebalance,
  shownNodes,
  shownShards,
} from '../../../src/cluster/placement-input.ts';
import type { LiveNode } from '../../../src/cluster/registry.ts';
import { a, b, c, shardId } from './cluster-script.ts';
import { recordOf } from './membership-stage.ts';

const shardCount = 4;

const node = (
  instanceId: string,
  state: 'up' | 'draining' = 'up',
  rates: readonly number[] = [],
): LiveNode => ({
  ...recordOf(instanceId, {
    state,
    shards: rates.map((requestsPerSecond, shard) => ({
      shardId: shardId(shard),
      epoch: 1,
      requestsPerSecond,
    })),
  }),
  heartbeatAgeMs: 0,
});

const owned = (...owners: readonly string[]) =>
  owners.map((owner, shard) => ({ shardId: shardId(shard), owner, epoch: shard + 5 }));

test('nodes are those of the registry, by name, and whether they drain', () => {
  expect(shownNodes([node(a), node(b, 'draining')])).toEqual([
    { instanceId: a, nodeId: 'a', isDraining: false },
    { instanceId: b, nodeId: 'b', isDraining: true },
  ]);
});

test('shards are all there are, owners by the store and rates by their nodes', () => {
  expect(shownShards([node(a, 'up', [7])], shardCount, owned(a, c))).toEqual([
    { shardId: 0, owner: a, requestsPerSecond: 7 },
    { shardId: 1, owner: c, requestsPerSecond: 0 },
    { shardId: 2, owner: undefined, requestsPerSecond: 0 },
    { shardId: 3, owner: undefined, requestsPerSecond: 0 },
  ]);
});

test('a drain moves all that the node has, and says under which epoch', () => {
  const plan = plannedDrain(
    b,
    [node(a), node(b, 'draining'), node(c, 'draining')],
    shardCount,
    owned(a, b, a, b),
  );
  expect(plan.toSorted((x, y) => x.shardId - y.shardId)).toEqual([
    { shardId: 1, fromNodeId: 'b', toNodeId: 'a', epoch: 6 },
    { shardId: 3, fromNodeId: 'b', toNodeId: 'a', epoch: 8 },
  ]);
});

test('a rebalance moves what is too much', () => {
  const plan = plannedRebalance([node(a), node(b)], shardCount, owned(a, a, a, a), []);
  expect(plan.map(({ fromNodeId, toNodeId }) => `${fromNodeId} ${toNodeId}`)).toEqual(['a b', 'a b']);
});

test('a rebalance leaves alone what is on its way, and counts it where it goes', () => {
  const open = [0, 1].map((shard) => ({
    shardId: shardId(shard),
    fromNodeId: 'a',
    toNodeId: 'b',
    epoch: 5,
  }));
  expect(plannedRebalance([node(a), node(b)], shardCount, owned(a, a, a, a), open)).toEqual([]);
  const [first] = open;
  const plan = plannedRebalance([node(a), node(b)], shardCount, owned(a, a, a, a), [first!]);
  expect(plan.map(({ fromNodeId, toNodeId }) => `${fromNodeId} ${toNodeId}`)).toEqual(['a b']);
  expect(plan[0]?.shardId).not.toBe(0);
});

test('what is on its way is not turned back before it has come', () => {
  const open = [0, 1, 2, 3].map((shard) => ({
    shardId: shardId(shard),
    fromNodeId: 'a',
    toNodeId: 'b',
    epoch: 5,
  }));
  expect(plannedRebalance([node(a), node(b)], shardCount, owned(a, a, a, a), open)).toEqual([]);
});
