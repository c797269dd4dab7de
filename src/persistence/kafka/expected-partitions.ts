import { type ICustomPartitioner, Partitioners, type RecordMetadata } from 'kafkajs';

/**
 * Which partitions have to acknowledge a part: those to which its messages went. When leaders move between two
 * attempts, kafkajs forgets the messages of some and reports success (tulios/kafkajs pull request 1798).
 */
export class ExpectedPartitions {
  readonly #names = new Set<string>();

  /** kafkajs's own, by the key's hash. */
  readonly createPartitioner: ICustomPartitioner = () => {
    const partitionOf = Partitioners.DefaultPartitioner();
    return (args) => {
      const partition = partitionOf(args);
      this.#names.add(nameOf(args.topic, partition));
      return partition;
    };
  };

  /** Before a part is sent. */
  clear(): void {
    this.#names.clear();
  }

  /** Throws when one is missing. */
  check(acknowledgements: readonly RecordMetadata[]): void {
    for (const { topicName, partition, errorCode } of acknowledgements) {
      if (errorCode === 0) this.#names.delete(nameOf(topicName, partition));
    }
    const [forgotten] = this.#names;
    if (forgotten !== undefined) throw new Error(`${forgotten} did not acknowledge what was sent`);
  }
}

const nameOf = (topic: string, partition: number): string => `partition ${partition} of ${topic}`;
