import { describe, expect, test } from 'vitest';
import type { ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import type { ShardEpoch } from '../../../../src/actors/runtime/ports.ts';
import { singleNodeControl } from '../../../../src/actors/runtime/single-node-control.ts';

const by = { who: 'ada', why: '' };
const served: readonly ShardEpoch[] = [
  { shardId: 0 as ShardId, epoch: 3 },
  { shardId: 7 as ShardId, epoch: 1 },
];

function controlOf(servedNow: () => readonly ShardEpoch[] = () => served) {
  let url = '';
  const control = singleNodeControl({
    nodeId: 'usher-1',
    version: '1.2.3',
    url: () => url,
    shardOf: (scheduleId) => (scheduleId % 8) as ShardId,
    servedShards: servedNow,
    requestsPerSecondOf: (shardId) => shardId + 0.5,
  });
  return {
    control,
    listen: () => {
      url = 'http://127.0.0.1:8080';
    },
  };
}

describe('a node on its own', () => {
  test('is a cluster of one, with what it serves now', async () => {
    const { control, listen } = controlOf();
    listen();
    const common = { ownerNodeId: 'usher-1', state: 'active' };
    expect(await control.status()).toEqual({
      nodes: [
        {
          nodeId: 'usher-1',
          version: '1.2.3',
          url: 'http://127.0.0.1:8080',
          state: 'up',
          heartbeatAgeMs: 0,
          shards: 2,
          requestsPerSecond: 8,
        },
      ],
      shards: [
        { ...common, shardId: 0, epoch: 3, requestsPerSecond: 0.5 },
        { ...common, shardId: 7, epoch: 1, requestsPerSecond: 7.5 },
      ],
      moves: [],
      disagreements: [],
      coordinatorNodeId: 'usher-1',
      isRegistryUp: true,
    });
  });

  test('shows no rates where nobody measures them', async () => {
    const control = singleNodeControl({
      nodeId: 'usher-1',
      version: '1.2.3',
      url: () => '',
      shardOf: () => 0 as ShardId,
      servedShards: () => served,
    });
    const { nodes, shards } = await control.status();
    expect([...nodes, ...shards].map(({ requestsPerSecond }) => requestsPerSecond)).toEqual([0, 0, 0]);
  });

  test('owns what it serves, until it has lost it', () => {
    let now = served;
    const { control } = controlOf(() => now);
    expect(control.ownerOf(15 as ScheduleId)).toEqual({ shardId: 7, ownerNodeId: 'usher-1' });
    now = [];
    expect(control.ownerOf(15 as ScheduleId)).toEqual({ shardId: 7, ownerNodeId: undefined });
  });

  test('moves nothing, and says what would make it one of several', async () => {
    const { control } = controlOf();
    const refusals = await Promise.all([
      control.move(7 as ShardId, 'usher-2', by),
      control.drain('usher-1', by),
      control.planRebalance(),
      control.rebalance(by),
    ]);
    for (const refusal of refusals) {
      expect(refusal).toEqual({ refusal: 'not-a-cluster', message: expect.any(String) });
      for (const setting of ['CLUSTER_SECRET', 'MYSQL_URL', 'REDIS_URL']) {
        expect('message' in refusal && refusal.message).toContain(setting);
      }
    }
  });

  test('has no moves and no actions of operators', async () => {
    const { control } = controlOf();
    expect(await control.findMove(1)).toBeUndefined();
    expect(await control.listActions(20)).toEqual([]);
  });
});
