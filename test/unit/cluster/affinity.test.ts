import { expect, test } from 'vitest';
import type { ShardId } from '../../../src/actors/allocator/ids.ts';
import { affinity } from '../../../src/cluster/affinity.ts';

const shards = Array.from({ length: 4_000 }, (_, shard) => shard as ShardId);

const favouriteOf = (nodeIds: readonly string[], shardId: ShardId): string =>
  nodeIds.reduce((best, nodeId) => (affinity(nodeId, shardId) > affinity(best, shardId) ? nodeId : best));

test('shards like each of several nodes about equally often, alike as their names are', () => {
  const nodeIds = ['node-1', 'node-2', 'node-3', 'node-10'];
  const counts = Map.groupBy(shards, (shardId) => favouriteOf(nodeIds, shardId));
  for (const nodeId of nodeIds) {
    expect(counts.get(nodeId)?.length).toBeGreaterThan(900);
    expect(counts.get(nodeId)?.length).toBeLessThan(1_100);
  }
});

test('a node that comes changes nothing between the others', () => {
  for (const shardId of shards) {
    const now = favouriteOf(['a', 'b', 'c', 'd'], shardId);
    if (now !== 'd') expect(now).toBe(favouriteOf(['a', 'b', 'c'], shardId));
  }
});

test('is a number of 32 bits that never changes: nodes of two versions agree on it', () => {
  expect([affinity('node-1', 0 as ShardId), affinity('node-2', 255 as ShardId)]).toEqual([
    3108010620, 1011124277,
  ]);
});
