import type { Admin } from 'kafkajs';
import { brokerErrorType, describeKafkaError } from './kafka-error.ts';
import { publishedTopics } from './published-topics.ts';

type TopicAdmin = Pick<Admin, 'fetchTopicMetadata' | 'createTopics' | 'describeCluster'>;

/** A topic cannot be written to, and why; the message is for people and says what to do. */
export class TopicUnusable extends Error {
  override name = 'TopicUnusable';
}

/** How many brokers have a copy of what we publish, where there are so many. */
const replicationFactorMax = 3;

const createLimitMs = 5_000;

/**
 * Looks whether the topics are there, and creates those that are not. Rejects with TopicUnusable when a broker says
 * no, and with what kafkajs throws when there is none to say it.
 *
 * Topics are asked for one at a time: kafkajs does not tell which of several an error is about.
 */
export async function ensureTopics(admin: TopicAdmin, partitions: number): Promise<void> {
  const missing: string[] = [];
  for (const topic of publishedTopics) if (!(await exists(admin, topic))) missing.push(topic);
  if (missing.length === 0) return;
  const { brokers } = await admin.describeCluster();
  const replicationFactor = Math.min(replicationFactorMax, brokers.length);
  for (const topic of missing) {
    try {
      await admin.createTopics({
        topics: [{ topic, numPartitions: partitions, replicationFactor }],
        waitForLeaders: true,
        timeout: createLimitMs,
      });
    } catch (error) {
      if (brokerErrorType(error) === undefined) throw error;
      throw new TopicUnusable(
        `topic ${topic} is missing, and the broker refuses to create it: ${describeKafkaError(error)}. ` +
          `Create it with ${partitions} partitions and a replication factor of ${replicationFactor}, or allow this client to create topics`,
        { cause: error },
      );
    }
  }
}

async function exists(admin: TopicAdmin, topic: string): Promise<boolean> {
  try {
    await admin.fetchTopicMetadata({ topics: [topic] });
    return true;
  } catch (error) {
    const type = brokerErrorType(error);
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
    if (type === undefined) throw error;
    throw new TopicUnusable(
      `topic ${topic} cannot be used: ${describeKafkaError(error)}. ` +
        'Look whether all of its partitions have a leader, and allow this client to describe and to write it',
      { cause: error },
    );
  }
}
