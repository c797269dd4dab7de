import { beforeEach, expect, test } from 'vitest';
import type { ShardId } from '../../../src/actors/allocator/ids.ts';
import type { ShardRecord } from '../../../src/actors/runtime/ports.ts';
import { Advertiser } from '../../../src/cluster/advertiser.ts';
import { type Registry, RegistryUnavailable } from '../../../src/cluster/registry.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';
import { NotedObserver } from './cluster-script.ts';

const beatEveryMs = 500;
let clock: ManualClock;
let observer: NotedObserver;
/** A call a line. */
let told: string[];
let fault: Error | undefined;
let advertiser: Advertiser;

beforeEach(() => {
  clock = new ManualClock();
  observer = new NotedObserver();
  told = [];
  fault = undefined;
  const advertise = async (shards: readonly ShardRecord[]) => {
    told.push(shards.map(({ shardId, epoch, owner }) => `${shardId} at ${epoch} of ${owner}`).join(', '));
    await Promise.resolve();
    if (fault !== undefined) throw fault;
  };
  const registry = { advertise } as Registry;
  advertiser = new Advertiser({ instanceId: 'a', registry, clock, observer, timing: { beatEveryMs } });
});

const shard = (shardId: number, epoch: number) => ({ shardId: shardId as ShardId, epoch });

test('tells what is served, once', async () => {
  advertiser.tell([shard(1, 4), shard(2, 7)]);
  await clock.advance(10 * beatEveryMs);
  expect(told).toEqual(['1 at 4 of a, 2 at 7 of a']);
});

test('tells what comes while it tells in the next call', async () => {
  advertiser.tell([shard(1, 4)]);
  advertiser.tell([shard(1, 5)]);
  advertiser.tell([shard(2, 7)]);
  await clock.settle();
  expect(told).toEqual(['1 at 4 of a', '1 at 5 of a, 2 at 7 of a']);
});

test('tells again, a beat later, until the registry has heard', async () => {
  fault = new RegistryUnavailable('away');
  advertiser.tell([shard(1, 4)]);
  await clock.advance(2 * beatEveryMs);
  advertiser.tell([shard(2, 7)]);
  expect(told).toEqual(['1 at 4 of a', '1 at 4 of a', '1 at 4 of a']);
  fault = undefined;
  await clock.advance(5 * beatEveryMs);
  expect(told.slice(3)).toEqual(['1 at 4 of a, 2 at 7 of a']);
  expect(observer.faults).toEqual([]);
});

test('says what is not the registry’s being away', async () => {
  fault = new TypeError('a bug');
  advertiser.tell([shard(1, 4)]);
  await clock.settle();
  expect(observer.faults).toEqual(['advertising failed: a bug']);
});

test('tells nothing once it has stopped', async () => {
  fault = new RegistryUnavailable('away');
  advertiser.tell([shard(1, 4)]);
  await clock.settle();
  advertiser.stop();
  await clock.advance(5 * beatEveryMs);
  advertiser.tell([shard(2, 7)]);
  await clock.settle();
  expect(told).toHaveLength(1);
});
