import { readFileSync } from 'node:fs';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  CompressionTypes,
  Kafka,
  type KafkaConfig,
  type LogEntry,
  logLevel,
  type Producer,
  type SASLOptions,
} from 'kafkajs';
import { type EventPart, type EventSink, MessagesTooLarge } from './event-sink.ts';
import { ExpectedPartitions } from './expected-partitions.ts';
import { brokerErrorType, describeKafkaError } from './kafka-error.ts';
import type { KafkaOptions, TlsFiles } from './kafka-options.ts';
import { publishedTopics, reservationTopic, seatReservedTopic } from './published-topics.ts';
import { ensureTopics } from './topic-creation.ts';

/**
 * One idempotent producer, for as long as nothing fails: a part is one request a broker, acknowledged by all
 * in-sync replicas, and the next one is not sent before.
 *
 * S1 A producer that has failed is never used again: kafkajs gives the sequence numbers of a lost request to the
 *    next one, and a broker that had taken the lost one would take the next for its repeat, and drop it.
 * S2 A part is sent when each partition that has a message of it has said so (expected-partitions.ts).
 * S3 Once `close` has resolved there is no socket and never will be: kafkajs reconnects for a request that it
 *    still has, whoever has given it up.
 */
export class KafkaSink implements EventSink {
  readonly #producer: Producer;
  readonly #sockets: Sockets;
  readonly #expected: ExpectedPartitions;

  private constructor(producer: Producer, sockets: Sockets, expected: ExpectedPartitions) {
    this.#producer = producer;
    this.#sockets = sockets;
    this.#expected = expected;
  }

  /** Connects, and creates the topics that are missing. Rejects, within a minute or so, when that is not to be. */
  static async open(options: KafkaOptions, onLog: (entry: LogEntry) => void): Promise<KafkaSink> {
    const sockets = new Sockets();
    const expected = new ExpectedPartitions();
    const producer = new Kafka(clientConfig(options, sockets, onLog)).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: expected.createPartitioner,
      // The fewest that it allows an idempotent producer. We have patience of our own.
      retry: { retries: 1 },
    });
    const sink = new KafkaSink(producer, sockets, expected);
    try {
      await within(openLimitMs, 'Kafka did not answer', sink.#connect(options));
      return sink;
    } catch (error) {
      await sink.close();
      throw error;
    }
  }

  async #connect(options: KafkaOptions): Promise<void> {
    // What it meets when it looks for topics is told by an error, or is as it should be.
    const admin = new Kafka(clientConfig(options, this.#sockets, () => {})).admin();
    await admin.connect();
    await ensureTopics(admin, options.partitions);
    await admin.disconnect();
    try {
      await this.#producer.connect();
    } catch (error) {
      if (brokerErrorType(error) === undefined) throw error;
      // kafkajs asks about all topics that there are, and gives up when anybody's has no leader; as long as a
      // broker is down, that may be. Once it has been told of ours it asks about these.
      await this.#producer.sendBatch({
        topicMessages: publishedTopics.map((topic) => ({ topic, messages: [] })),
      });
      await this.#producer.connect();
    }
  }

  get isLost(): boolean {
    return this.#sockets.count === 0;
  }

  async send(part: EventPart): Promise<void> {
    this.#expected.clear();
    try {
      const answers = await within(
        sendLimitMs,
        'Kafka did not acknowledge what was sent',
        this.#producer.sendBatch({
          acks: -1,
          timeout: acknowledgeLimitMs,
          compression: part.isOversize ? CompressionTypes.GZIP : CompressionTypes.None,
          topicMessages: [
            { topic: reservationTopic, messages: [...part.reservations] },
            { topic: seatReservedTopic, messages: [...part.seatsReserved] },
          ],
        }),
      );
      this.#expected.check(answers);
    } catch (error) {
      const type = brokerErrorType(error);
      if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') throw tooLarge(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    await within(disconnectLimitMs, '', this.#producer.disconnect()).catch(() => {});
    this.#sockets.close();
  }
}

function tooLarge(error: unknown): MessagesTooLarge {
  const message = `${describeKafkaError(error)}: raise max.message.bytes of ${reservationTopic} and ${seatReservedTopic}`;
  return new MessagesTooLarge(message, { cause: error });
}

function clientConfig(
  { brokers, clientId, tls, sasl }: KafkaOptions,
  sockets: Sockets,
  onLog: (entry: LogEntry) => void,
): KafkaConfig {
  return {
    brokers: [...brokers],
    clientId,
    ...(tls !== undefined && tls !== false && { ssl: tls === true ? true : readTlsFiles(tls) }),
    ...(sasl !== undefined && { sasl: sasl as SASLOptions }),
    connectionTimeout: connectLimitMs,
    authenticationTimeout: connectLimitMs,
    requestTimeout: requestLimitMs,
    // Enough to ask each of the brokers once.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: Math.min(brokers.length, attemptsMax) },
    socketFactory: (destination) => sockets.open(destination),
    logLevel: logLevel.WARN,
    logCreator: () => onLog,
  };
}

function readTlsFiles({ caFile, certFile, keyFile }: TlsFiles): NonNullable<KafkaConfig['ssl']> {
  return {
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    ...(certFile !== undefined && { cert: readFileSync(certFile) }),
    ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
  };
}

type Destination = Parameters<NonNullable<KafkaConfig['socketFactory']>>[0];

/** All sockets of one client, so that they can be closed. */
class Sockets {
  readonly #open = new Set<Socket>();
  #isClosed = false;

  get count(): number {
    return this.#open.size;
  }

  open({ host, port, ssl, onConnect }: Destination): Socket {
    if (this.#isClosed) throw new Error('this producer is closed');
    const serverName = isIP(host) === 0 ? { servername: host } : {};
    const socket = ssl
      ? connectTls({ host, port, ...serverName, ...ssl }, onConnect)
      : connectPlain({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#open) socket.destroy();
  }
}

async function within<T>(limitMs: number, message: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${message} within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

const attemptsMax = 5;
const keepAliveMs = 60_000;
const connectLimitMs = 3_000;
/** A request's answer; what kafkajs does for a part is one to four of them. */
const requestLimitMs = 15_000;
/** How long a leader waits for its followers: longer than brokers take to agree that one is dead, 9 s. */
const acknowledgeLimitMs = 12_000;
const openLimitMs = 60_000;
const sendLimitMs = 45_000;
const disconnectLimitMs = 1_000;
