import { expect, test } from 'vitest';
import type { ShardEpoch } from '../../../src/actors/runtime/ports.ts';
import { Outlook } from '../../../src/cluster/outlook.ts';
import { a, b, c, shardId } from './cluster-script.ts';
import { recordOf } from './membership-stage.ts';

const served: readonly ShardEpoch[] = [{ shardId: shardId(1), epoch: 3 }];

test.each([
  ['is alone', [a], [], [], false],
  ['serves nothing, and somebody answers', [a, b, c], [], [c], false],
  ['serves nothing, and nobody answers', [a, b, c], [], [], true],
  ['serves something, and nobody answers', [a, b], served, [], false],
])('a node that %s', async (_name, names, shards, answering, isCutOff) => {
  const outlook = new Outlook({
    instanceId: a,
    host: { servedShards: () => shards },
    membership: { live: () => names.map((name) => ({ ...recordOf(name), heartbeatAgeMs: 1 })) },
    orders: { ping: async (instanceId) => answering.some((name) => name === instanceId) },
  });
  expect(outlook.isCutOff, 'before it has looked').toBe(false);
  await outlook.look();
  expect(outlook.isCutOff).toBe(isCutOff);
});
