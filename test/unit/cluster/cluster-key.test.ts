import { expect, test } from 'vitest';
import { clusterKey } from '../../../src/cluster/cluster-key.ts';

test('a key is derived from the secret, the same on every node and in every release', () => {
  const key = clusterKey('correct horse battery staple, twice');
  expect(key.toString('hex')).toBe('cdb122ab4cae39b95ab3776674d6ae4bd7c2a142f340c8332fc5b407a7251a5b');
  expect(clusterKey('correct horse battery staple, twicf')).not.toEqual(key);
});
