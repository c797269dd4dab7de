import { beforeEach, describe, expect, it } from 'vitest';
import { ensureTopics, TopicUnusable } from '../../../../src/persistence/kafka/topic-creation.ts';

const kafkaError = (message: string, more: object) =>
  Object.assign(new Error(message), { name: 'KafkaJSError' }, more);

const refusal = (type: string, message: string) => kafkaError(message, { type });

/** As kafkajs: errors of the broker come wrapped. */
const wrapped = (cause: Error) => kafkaError(cause.message, { cause });

describe('ensureTopics', () => {
  let topics: Set<string>;
  let brokers: number;
  let created: object[];
  /** What the broker says of a topic, instead of telling of it. */
  let metadataErrors: Map<string, Error>;
  let createError: Error | undefined;

  beforeEach(() => {
    topics = new Set();
    brokers = 1;
    created = [];
    metadataErrors = new Map();
    createError = undefined;
  });

  const admin = {
    async fetchTopicMetadata({ topics: asked = [] }: { topics?: string[] } = {}) {
      expect(asked.length).toBe(1);
      const [topic = ''] = asked;
      const error = metadataErrors.get(topic);
      if (error !== undefined) throw wrapped(error);
      if (!topics.has(topic)) throw wrapped(refusal('UNKNOWN_TOPIC_OR_PARTITION', 'no such topic'));
      return { topics: [] };
    },
    async createTopics(request: { topics: { topic: string }[] }) {
      if (createError !== undefined) throw createError;
      for (const { topic } of request.topics) topics.add(topic);
      created.push(...request.topics);
      return true;
    },
    async describeCluster() {
      const nodes = Array.from({ length: brokers }, (_, nodeId) => ({ nodeId, host: '', port: 0 }));
      return { brokers: nodes, controller: 0, clusterId: '' };
    },
  };

  it.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [7, 3],
  ])('creates both, with %i brokers in %i copies', async (count, replicationFactor) => {
    brokers = count;
    await ensureTopics(admin, 12);
    expect(created).toEqual([
      { topic: 'reservation-topic', numPartitions: 12, replicationFactor },
      { topic: 'seat-reserved-topic', numPartitions: 12, replicationFactor },
    ]);
  });

  it('leaves alone what is there', async () => {
    topics.add('reservation-topic');
    await ensureTopics(admin, 3);
    expect(created).toEqual([{ topic: 'seat-reserved-topic', numPartitions: 3, replicationFactor: 1 }]);
    await ensureTopics(admin, 3);
    expect(created.length).toBe(1);
  });

  it.each([
    ['TOPIC_AUTHORIZATION_FAILED', 'Not authorized to access topics: [Topic authorization failed]'],
    ['POLICY_VIOLATION', 'Request parameters do not satisfy the configured policy'],
  ])('says what to do when a missing topic may not be created (%s)', async (type, message) => {
    const each = refusal(type, message);
    createError = kafkaError('Topic creation errors', { errors: [each] });
    const thrown = await ensureTopics(admin, 12).catch((error: Error) => error);
    expect(thrown).toBeInstanceOf(TopicUnusable);
    expect((thrown as Error).message).toBe(
      `topic reservation-topic is missing, and the broker refuses to create it: ${message} (${type}). ` +
        'Create it with 12 partitions and a replication factor of 1, or allow this client to create topics',
    );
  });

  it('says which topic cannot be used', async () => {
    topics.add('reservation-topic');
    metadataErrors.set('seat-reserved-topic', refusal('LEADER_NOT_AVAILABLE', 'There is no leader'));
    await expect(ensureTopics(admin, 12)).rejects.toThrow(
      new TopicUnusable(
        'topic seat-reserved-topic cannot be used: There is no leader (LEADER_NOT_AVAILABLE). ' +
          'Look whether all of its partitions have a leader, and allow this client to describe and to write it',
      ),
    );
    expect(created).toEqual([]);
  });

  it('takes a connection that was lost for what it is', async () => {
    const lost = new Error('Connection error: connect ECONNREFUSED');
    createError = lost;
    await expect(ensureTopics(admin, 12)).rejects.toBe(lost);
    metadataErrors.set('reservation-topic', lost);
    await expect(ensureTopics(admin, 12)).rejects.not.toBeInstanceOf(TopicUnusable);
  });
});
