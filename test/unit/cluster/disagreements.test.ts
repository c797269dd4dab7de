import { expect, test } from 'vitest';
import type { ShardRecord } from '../../../src/actors/runtime/ports.ts';
import { shardDisagreements } from '../../../src/cluster/disagreements.ts';
import type { LiveNode } from '../../../src/cluster/registry.ts';
import { a, b, shardId } from './cluster-script.ts';
import { recordOf } from './membership-stage.ts';

const one = (owner: string, epoch = 4): ShardRecord => ({ shardId: shardId(1), owner, epoch });

/** Lives, and says that it serves shard 1, or nothing. */
const node = (instanceId: string, serves = false): LiveNode => ({
  ...recordOf(instanceId, {
    shards: serves ? [{ shardId: shardId(1), epoch: 4, requestsPerSecond: 0 }] : [],
  }),
  heartbeatAgeMs: 0,
});

test.each([
  { case: 'all agree', live: [node(a, true), node(b)], advertised: [one(a)], lines: [] },
  {
    case: 'two serve it',
    live: [node(a, true), node(b, true)],
    advertised: [one(a)],
    lines: ['shard 1: a and b both say that they serve it'],
  },
  {
    case: 'another serves it',
    live: [node(a), node(b, true)],
    advertised: [one(a)],
    lines: ['shard 1: b says that it serves it, the store has it under a'],
  },
  {
    case: 'its owner lives and does not serve it',
    live: [node(a), node(b)],
    advertised: [one(a)],
    lines: ['shard 1: the store has it under a, which does not serve it'],
  },
  { case: 'its owner is gone', live: [node(b)], advertised: [one(a)], lines: [] },
  {
    case: 'Redis has lost it',
    live: [node(a, true)],
    advertised: [],
    lines: ['shard 1: Redis has no owner, the store has a'],
  },
  {
    case: 'Redis has another owner',
    live: [node(a, true)],
    advertised: [one(b, 3)],
    lines: ['shard 1: Redis has b at epoch 3, the store a at 4'],
  },
  { case: 'Redis is away', live: [node(a, true)], advertised: undefined, lines: [] },
])('$case', ({ live, advertised, lines }) => {
  expect(shardDisagreements({ live, owners: [one(a)], advertised })).toEqual(lines);
});
