import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { repairRequestQueue } from '../../src/persistence/kafka/request-queue-repair.ts';

// For this process: the worker has a kafkajs of its own.
repairRequestQueue();

/** A message, as any consumer of ours has it. */
export interface ReadMessage {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * A consumer group of one, which reads topics from their start and keeps what it is given, repeats included, in the
 * order in which it is given. It outlives its broker.
 */
export class TopicReader {
  readonly messages: ReadMessage[] = [];
  readonly #consumer: Consumer;

  private constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  static async start(brokers: readonly string[], topics: readonly string[]): Promise<TopicReader> {
    const kafka = new Kafka({
      brokers: [...brokers],
      clientId: 'reader',
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 200, maxRetryTime: 1_000, retries: 60 },
    });
    const consumer = kafka.consumer({
      groupId: `reader-${process.pid}-${performance.now()}`,
      sessionTimeout: 10_000,
      retry: { initialRetryTime: 200, maxRetryTime: 1_000, retries: 60, restartOnFailure: async () => true },
    });
    const reader = new TopicReader(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommitInterval: 500,
      eachMessage: async ({ topic, partition, message: { key, value, headers } }) => {
        reader.messages.push({
          topic,
          partition,
          key: String(key),
          headers: Object.fromEntries(
            Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]),
          ),
          data: JSON.parse(String(value)),
        });
      },
    });
    return reader;
  }

  of(topic: string): ReadMessage[] {
    return this.messages.filter((message) => message.topic === topic);
  }

  stop(): Promise<void> {
    return this.#consumer.disconnect();
  }
}

/** Without the repeats. */
export function firstDeliveries(messages: readonly ReadMessage[]): ReadMessage[] {
  const seen = new Set<string>();
  return messages.filter(({ headers }) => {
    const id = headers['ce_id'] ?? '';
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
