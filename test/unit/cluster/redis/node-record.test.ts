import { expect, test } from 'vitest';
import type { ShardId } from '../../../../src/actors/allocator/ids.ts';
import { NodeRecordReader, writeNodeRecord } from '../../../../src/cluster/redis/node-record.ts';
import { instanceIdOf, recordOf } from '../membership-stage.ts';

const a = instanceIdOf('a');

test('a record that says the same again is read once', () => {
  const reader = new NodeRecordReader();
  const read = (url: string) => reader.read(new Map([[a, writeNodeRecord(recordOf(a, { url }))]])).get(a);
  const first = read('one');
  expect(first).toEqual(recordOf(a, { url: 'one' }));
  expect(read('one')).toBe(first);
  expect(read('two')?.url).toBe('two');
});

test('a record is forgotten with the view that had it', () => {
  const reader = new NodeRecordReader();
  const texts = new Map([[a, writeNodeRecord(recordOf(a))]]);
  const first = reader.read(texts).get(a);
  expect(reader.read(new Map()).size).toBe(0);
  expect(reader.read(texts).get(a)).not.toBe(first);
});

test('a node on which nothing happens says the same again: rates are told to a tenth', () => {
  const withRate = (requestsPerSecond: number) =>
    writeNodeRecord(recordOf(a, { shards: [{ shardId: 1 as ShardId, epoch: 2, requestsPerSecond }] }));
  expect(withRate(0.04)).toBe(withRate(0));
  expect(JSON.parse(withRate(12.345)).shards).toEqual([{ shardId: 1, epoch: 2, requestsPerSecond: 12.3 }]);
});
