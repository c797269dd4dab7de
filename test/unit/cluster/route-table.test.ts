import { beforeEach, expect, test } from 'vitest';
import type { ShardRecord } from '../../../src/actors/runtime/ports.ts';
import { RouteTable } from '../../../src/cluster/route-table.ts';
import { shardId } from './cluster-script.ts';

const record = (shard: number, owner: string, epoch: number): ShardRecord => ({
  shardId: shardId(shard),
  owner,
  epoch,
});

let routes: RouteTable;
beforeEach(() => {
  routes = new RouteTable();
  routes.read([record(1, 'b', 5), record(2, 'b', 5)]);
});

test.each([
  { heard: record(1, 'c', 6), owner: 'c', changed: [1] },
  { heard: record(1, 'c', 5), owner: 'b', changed: [] },
  { heard: record(1, 'c', 4), owner: 'b', changed: [] },
  { heard: record(1, 'b', 6), owner: 'b', changed: [] },
])('hearsay counts where its epoch is higher: $heard', ({ heard, owner, changed }) => {
  expect(routes.hear([heard])).toEqual(changed);
  expect(routes.ownerOf(shardId(1))?.owner).toBe(owner);
  expect(routes.ownerOf(shardId(2))?.owner).toBe('b');
});

test('an epoch that was heard is kept, though the owner is the same', () => {
  routes.hear([record(1, 'b', 8)]);
  expect(routes.hear([record(1, 'c', 7)])).toEqual([]);
});

test('the store takes the place of what was made up', () => {
  routes.hear([record(1, 'c', 99)]);
  expect(routes.read([record(1, 'b', 6), record(2, 'b', 5), record(3, 'a', 1)])).toEqual([1, 3]);
  const known = [1, 2, 3].map((shard) => routes.ownerOf(shardId(shard)));
  expect(known.map((each) => `${each?.owner} ${each?.epoch}`)).toEqual(['b 6', 'b 5', 'a 1']);
  expect(routes.size).toBe(3);
});

test('of a shard that nobody has spoken of nothing is known', () => {
  expect(routes.ownerOf(shardId(9))).toBeUndefined();
  expect(routes.hear([record(9, 'c', 1)])).toEqual([9]);
});
