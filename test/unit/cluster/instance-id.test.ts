import { expect, test } from 'vitest';
import { newInstance, parseInstanceId } from '../../../src/cluster/instance-id.ts';

test('each run of a node has a name of its own, which says where it is', () => {
  const [first, second] = [newInstance('node-1', 'n1:8082'), newInstance('node-1', 'n1:8082')];
  expect(first.instanceId).not.toBe(second.instanceId);
  expect(parseInstanceId(first.instanceId)).toEqual(first);
});

test.each([
  ['node-1/5f@[::1]:8082', 'node-1', '[::1]:8082'],
  ['a.b_c/5f@10.0.0.1:1', 'a.b_c', '10.0.0.1:1'],
  ['alone/5f', 'alone', ''],
])('%s is %s at %s', (instanceId, nodeId, address) => {
  expect(parseInstanceId(instanceId)).toEqual({ instanceId, nodeId, address });
});

test.each([
  '',
  'node',
  'node/',
  '/5f@n:1',
  'a b/5f@n:1',
  'node/5f@',
  'node/5F@n:1',
  `${'n'.repeat(65)}/5f@n:1`,
])('%j is none', (text) => {
  expect(parseInstanceId(text)).toBeUndefined();
});
