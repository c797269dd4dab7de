import { expect, test } from 'vitest';
import { formatShardRanges } from '../../../src/cli/shard-ranges.ts';

test.each([
  [[], ''],
  [[0], '0'],
  [[3, 1, 2], '1–3'],
  [[9, 0, 1, 11, 10], '0–1, 9–11'],
  [[255, 5], '5, 255'],
])('%j', (shardIds, text) => {
  expect(formatShardRanges(shardIds)).toBe(text);
});
