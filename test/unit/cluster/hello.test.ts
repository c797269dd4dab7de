import { describe, expect, test } from 'vitest';
import { agree, helloOf, type PeerIdentity } from '../../../src/cluster/hello.ts';
import { wireRange } from '../../../src/cluster/wire-version.ts';

const node = (nodeId: string, [wireMin, wireMax]: readonly [number, number]): PeerIdentity => ({
  installationId: 'one',
  instanceId: `${nodeId}/1@${nodeId}:8082`,
  nodeId,
  version: `0.${wireMax}.0`,
  wire: { wireMin, wireMax },
});

describe('the version that two nodes speak', () => {
  test.each([
    { ours: [1, 1], theirs: [1, 1], spoken: 1 },
    { ours: [1, 1], theirs: [1, 2], spoken: 1 },
    { ours: [1, 3], theirs: [2, 2], spoken: 2 },
    { ours: [2, 3], theirs: [3, 9], spoken: 3 },
  ] as const)('$ours and $theirs: $spoken', ({ ours, theirs, spoken }) => {
    const [a, b] = [node('a', ours), node('b', theirs)];
    expect(agree(a, helloOf(b))).toEqual({ wireVersion: spoken, peerInstanceId: 'b/1@b:8082' });
    expect(agree(b, helloOf(a))).toEqual({ wireVersion: spoken, peerInstanceId: 'a/1@a:8082' });
  });

  test('none that both know: each end names both', () => {
    const [a, b] = [node('a', [1, 1]), node('b', [2, 3])];
    const why = 'no version of the wire format is known to both';
    expect(agree(a, helloOf(b))).toEqual({
      refusal: `${why}: b has Usher 0.3.0, wire format 2–3; this node has Usher 0.1.0, wire format 1`,
    });
    expect(agree(b, helloOf(a))).toEqual({
      refusal: `${why}: a has Usher 0.1.0, wire format 1; this node has Usher 0.3.0, wire format 2–3`,
    });
  });

  test('is that of this release where nothing else is said', () => {
    const { wire: _, ...plain } = node('a', [7, 7]);
    expect(helloOf(plain)).toMatchObject(wireRange);
  });
});

test('fields that are not known are ignored', () => {
  const hello = { ...helloOf(node('b', [1, 2])), compression: ['zstd'], wireBest: 2 };
  expect(agree(node('a', [1, 1]), hello)).toMatchObject({ wireVersion: 1 });
});

test('a node of another installation is refused', () => {
  const other = { ...node('b', [1, 1]), installationId: 'two' };
  expect(agree(node('a', [1, 1]), helloOf(other))).toEqual({
    refusal: 'b belongs to another installation (theirs is two, ours one): each needs a secret of its own',
  });
});

test.each([
  undefined,
  null,
  'usher',
  {},
  { ...helloOf(node('b', [1, 1])), usher: 'sandbox' },
  { ...helloOf(node('b', [1, 1])), wireMax: '1' },
  { ...helloOf(node('b', [1, 1])), wireMin: 0.5 },
  { ...helloOf(node('b', [1, 1])), nodeId: 'n'.repeat(301) },
])('%j is no hello', (message) => {
  expect(agree(node('a', [1, 1]), message)).toEqual({ refusal: 'it does not greet as a node of Usher does' });
});
