import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Redis as RedisClient } from 'ioredis';
import { Kafka as KafkaClient, logLevel } from 'kafkajs';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { onFreePorts } from '../../scripts/servers/free-port.ts';
import { type Kafka, startKafka } from '../../scripts/servers/kafka.ts';
import {
  type MariaDb,
  type MariaDbReplica,
  startMariaDb,
  startReplica,
} from '../../scripts/servers/mariadb.ts';
import { type Redis, startRedis } from '../../scripts/servers/redis.ts';
import type { ServerControl } from '../../scripts/servers/server-process.ts';
import { sharedKafkaBrokers, sharedMariaDb, sharedRedisUrl } from '../servers/shared-servers.ts';
import { isListening } from './loopback-port.ts';
import { temporaryDirectory } from './usher-process.ts';

/** A child of this process that has ended is no process any more. */
function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function stopsForGood(server: ServerControl): Promise<void> {
  const { pid, folder } = server;
  expect([runs(pid), existsSync(folder)]).toEqual([true, true]);
  await server.stop();
  expect([runs(pid), existsSync(folder)]).toEqual([false, false]);
}

async function query(url: string, sql: string): Promise<RowDataPacket[]> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows;
  } finally {
    connection.destroy();
  }
}

describe('MariaDB', () => {
  let primary: MariaDb;
  let replica: MariaDbReplica;
  let url: string;

  beforeAll(async () => {
    primary = await startMariaDb();
    replica = await startReplica(primary);
    url = await primary.createDatabase();
    await query(url, 'CREATE TABLE seat (id INT PRIMARY KEY) ENGINE=InnoDB');
  });
  afterAll(async () => {
    await replica?.stop();
    await primary?.stop();
  });

  const seatsAt = async (at: string) => (await query(at, 'SELECT id FROM seat')).map((row) => row['id']);

  test('commits to disk and to its binary log, by rows', async () => {
    const names = ['log_bin', 'sync_binlog', 'innodb_flush_log_at_trx_commit', 'local_infile'];
    const variables = `@@binlog_format AS format, ${names.map((name) => `@@${name} AS ${name}`).join()}`;
    expect(await query(url, `SELECT ${variables}`)).toEqual([
      { format: 'ROW', log_bin: 1, sync_binlog: 1, innodb_flush_log_at_trx_commit: 1, local_infile: 0 },
    ]);
  });

  test('its user has databases, and nothing of the server', async () => {
    await query(primary.url, 'CREATE DATABASE usher_own');
    await query(primary.url, 'DROP DATABASE usher_own');
    for (const sql of [
      'CREATE DATABASE foreign_one',
      'SET GLOBAL sync_binlog = 0',
      'SELECT * FROM mysql.user',
    ]) {
      await expect(query(primary.url, sql)).rejects.toThrow(/denied/);
    }
    expect(await query(primary.rootUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('has empty databases for the asking', async () => {
    const own = await primary.createDatabase();
    expect(await query(own, 'SHOW TABLES')).toEqual([]);
    await primary.dropDatabase(own);
    await expect(query(own, 'SELECT 1')).rejects.toThrow(/Unknown database/);
  });

  test('keeps what it committed over a SIGKILL and a polite end, and its replica follows', async () => {
    await query(url, 'INSERT INTO seat VALUES (1)');
    const pidBefore = primary.pid;
    await primary.kill9();
    expect([runs(pidBefore), await isListening(primary.port)]).toEqual([false, false]);
    await primary.restart();
    expect(primary.pid).not.toBe(pidBefore);
    await query(url, 'INSERT INTO seat VALUES (2)');
    await primary.shutDown();
    expect(await isListening(primary.port)).toBe(false);
    await primary.restart();
    await query(url, 'INSERT INTO seat VALUES (3)');
    expect(await seatsAt(url)).toEqual([1, 2, 3]);
    await replica.waitUntilCaughtUp();
    expect(await seatsAt(replica.urlOf(url))).toEqual([1, 2, 3]);
  });

  test('a replica that was killed catches up, and takes no write of its own', async () => {
    await replica.kill9();
    await query(url, 'INSERT INTO seat VALUES (4)');
    await replica.restart();
    await replica.waitUntilCaughtUp();
    expect(await seatsAt(replica.urlOf(url))).toEqual([1, 2, 3, 4]);
    await expect(query(replica.urlOf(url), 'INSERT INTO seat VALUES (5)')).rejects.toThrow(/read-only/);
  });

  test('a replica that is out of reach of its primary says that it is behind', async () => {
    const root = replica.rootUrl;
    await query(root, 'STOP SLAVE');
    await query(url, 'INSERT INTO seat VALUES (5)');
    await expect(replica.waitUntilCaughtUp(100)).rejects.toThrow(/is not at 0-1-\d+ after 100 ms/);
    await query(root, 'START SLAVE');
    await replica.waitUntilCaughtUp();
  });

  test('answers nothing while it is suspended', async () => {
    const connection: Connection = await createConnection(url);
    await primary.suspend();
    const answer = connection.query('SELECT 1').then(() => 'answered');
    const patience = new Promise((resolve) => setTimeout(resolve, 300, 'silent'));
    expect(await Promise.race([answer, patience])).toBe('silent');
    primary.resume();
    expect(await answer).toBe('answered');
    connection.destroy();
  });

  test('stops for good, suspended or not', async () => {
    await stopsForGood(replica);
    await primary.suspend();
    await stopsForGood(primary);
  });

  test('offers TLS, takes other variables, and its replica follows by TLS as well', async () => {
    const server = await startMariaDb({
      tls: true,
      variables: { require_secure_transport: 'ON', sync_binlog: 0, max_connections: 33 },
    });
    const follower = await startReplica(server);
    try {
      await expect(createConnection(server.url)).rejects.toThrow();
      const own = await server.createDatabase();
      const ca = readFileSync(server.caFile ?? '', 'utf8');
      const connection = await createConnection({ uri: own, ssl: { ca } });
      const [rows] = await connection.query('SELECT @@sync_binlog AS sync, @@max_connections AS connections');
      expect(rows).toEqual([{ sync: 0, connections: 33 }]);
      connection.destroy();
      await follower.waitUntilCaughtUp();
      expect(await query(follower.urlOf(own), 'SHOW TABLES')).toEqual([]);
    } finally {
      await follower.stop();
      await stopsForGood(server);
    }
  });

  test('that can’t start says why, and leaves nothing behind', async () => {
    const { path, remove } = temporaryDirectory();
    vi.stubEnv('TMPDIR', path);
    try {
      await expect(startMariaDb({ variables: { no_such_variable: 1 } })).rejects.toThrow(
        /MariaDB ended before it was ready:[\s\S]*unknown variable 'no-such-variable=1'/,
      );
      expect(readdirSync(path)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      remove();
    }
  });
});

describe('Redis', () => {
  const useOf = async <Result>(redis: Redis, work: (client: RedisClient) => Promise<Result>) => {
    const client = new RedisClient(redis.url);
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  };

  test.each([
    [true, 'front row'],
    [false, null],
  ])('durable: %s, after a SIGKILL it has %s', async (isDurable, expected) => {
    const redis = await startRedis({ isDurable });
    try {
      await useOf(redis, (client) => client.set('seat', 'front row'));
      await redis.kill9();
      expect(await isListening(redis.port)).toBe(false);
      await redis.restart();
      expect(await useOf(redis, (client) => client.get('seat'))).toBe(expected);
    } finally {
      await stopsForGood(redis);
    }
  });
});

describe('Kafka', () => {
  test('keeps its messages over a SIGKILL, on the same port', async () => {
    const kafka: Kafka = await startKafka();
    const client = new KafkaClient({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING });
    const admin = client.admin();
    const producer = client.producer();
    try {
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'seats', numPartitions: 1 }] });
      await producer.connect();
      await producer.send({ topic: 'seats', messages: [{ value: 'front row' }] });
      await kafka.kill9();
      await kafka.restart();
      expect(await firstMessage(client)).toBe('front row');
    } finally {
      await producer.disconnect();
      await admin.disconnect();
      await stopsForGood(kafka);
    }
  });
});

async function firstMessage(client: KafkaClient): Promise<string | undefined> {
  const consumer = client.consumer({ groupId: 'ushers' });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: ['seats'], fromBeginning: true });
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    await consumer.run({ eachMessage: async ({ message }) => resolve(message.value?.toString()) });
    return await promise;
  } finally {
    await consumer.disconnect();
  }
}

test('a program that is missing, and can’t be installed, is named', async () => {
  vi.stubEnv('PATH', '');
  try {
    await expect(startRedis()).rejects.toThrow(
      'redis-server is missing, and only root can have it installed, with apt-get: install it (Debian: redis-server), or name a running server by TEST_REDIS_URL',
    );
  } finally {
    vi.unstubAllEnvs();
  }
});

test('a port that somebody else took in the meantime is given up for another', async () => {
  const tried: number[] = [];
  const port = await onFreePorts(1, async ([free = 0]) => {
    tried.push(free);
    if (tried.length === 1) throw new Error('bind: Address already in use');
    return free;
  });
  expect(tried).toHaveLength(2);
  expect(port).toBe(tried[1]);
  await expect(onFreePorts(1, () => Promise.reject(new Error('no such file')))).rejects.toThrow(
    'no such file',
  );
});

test('the shared servers answer', async () => {
  const database = await sharedMariaDb().createDatabase();
  expect(await query(database, 'SHOW TABLES')).toEqual([]);
  await sharedMariaDb().dropDatabase(database);
  const redis = new RedisClient(sharedRedisUrl());
  expect(await redis.ping()).toBe('PONG');
  redis.disconnect();
  const client = new KafkaClient({ brokers: sharedKafkaBrokers().split(','), logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  expect((await admin.describeCluster()).brokers).toHaveLength(1);
  await admin.disconnect();
});
