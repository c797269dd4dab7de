import { describe, expect, it } from 'vitest';
import { ExpectedPartitions } from '../../../../src/persistence/kafka/expected-partitions.ts';

const partitionMetadata = Array.from({ length: 12 }, (_, partitionId) => ({
  partitionId,
  partitionErrorCode: 0,
  leader: 1,
  replicas: [1],
  isr: [1],
}));

describe('ExpectedPartitions', () => {
  const send = (expected: ExpectedPartitions, ...keys: string[]) => {
    const partitionOf = expected.createPartitioner();
    return keys.map((key) => {
      const partition = partitionOf({ topic: 't', partitionMetadata, message: { key, value: '' } });
      return { topicName: 't', partition, errorCode: 0 };
    });
  };

  it('is content when each partition that got a message has acknowledged', () => {
    const expected = new ExpectedPartitions();
    const acknowledgements = send(expected, '1', '2', '3', '1');
    expect(new Set(acknowledgements.map(({ partition }) => partition)).size).toBe(3);
    expected.check(acknowledgements);
    expected.clear();
    expected.check([]);
  });

  it.each([
    ['says nothing', (all: object[]) => all.slice(1)],
    ['says no', ([first, ...others]: object[]) => [{ ...first, errorCode: 6 }, ...others]],
    ['speaks of another topic', ([first, ...others]: object[]) => [{ ...first, topicName: 'u' }, ...others]],
  ])('is not when one of them %s', (_name, change) => {
    const expected = new ExpectedPartitions();
    const acknowledgements = send(expected, '1', '2', '3');
    expect(() => expected.check(change(acknowledgements) as never)).toThrow(
      `partition ${acknowledgements[0]!.partition} of t did not acknowledge what was sent`,
    );
  });

  it('has a key where every other client has it', () => {
    // Hashes from the tests of Kafka's Java client; it takes them positive, modulo the number of partitions.
    const murmur2 = { '21': -973932308, foobar: -790332482, abc: 479470107 };
    const acknowledgements = send(new ExpectedPartitions(), ...Object.keys(murmur2), 'foobar');
    const expected = [...Object.values(murmur2), murmur2.foobar].map((hash) => (hash & 0x7fffffff) % 12);
    expect(acknowledgements.map(({ partition }) => partition)).toEqual(expected);
  });
});
