/**
 * `npm run servers`: MariaDB with a replica, Redis and Kafka on free loopback ports, until Ctrl-C. Its output
 * is what a shell takes (`export MYSQL_URL=…`); all else goes to standard error. `--only mysql,redis,kafka`
 * starts these alone.
 */
import { parseArgs } from 'node:util';
import { startKafka } from './kafka.ts';
import { startMariaDb, startReplica } from './mariadb.ts';
import { startRedis } from './redis.ts';
import type { ServerControl } from './server-process.ts';

/** One kind of server: as soon as one of its processes runs, it is to be stopped. */
type Starter = (startedServers: ServerControl[]) => Promise<Readonly<Record<string, string>>>;

const starters: Readonly<Record<string, Starter>> = {
  mysql: async (startedServers) => {
    const primary = await startMariaDb();
    startedServers.push(primary);
    const replica = await startReplica(primary);
    startedServers.push(replica);
    return { MYSQL_URL: primary.url, MYSQL_READ_URL: replica.url };
  },
  redis: async (startedServers) => {
    const redis = await startRedis();
    startedServers.push(redis);
    return { REDIS_URL: redis.url };
  },
  kafka: async (startedServers) => {
    const kafka = await startKafka();
    startedServers.push(kafka);
    return { KAFKA_BROKERS: kafka.brokers };
  },
};

async function run(names: readonly string[]): Promise<void> {
  // Heeded from the beginning: one that comes while a server starts is obeyed when it has started.
  const asked = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => asked.resolve());
  const keepAlive = setInterval(() => undefined, 60_000);
  const startedServers: ServerControl[] = [];
  try {
    const starting = names.map((name) => starters[name]?.(startedServers));
    for (const result of await Promise.allSettled(starting)) {
      if (result.status === 'rejected') throw result.reason;
      for (const [name, value] of Object.entries(result.value ?? {}))
        console.log(`export ${name}='${value}'`);
    }
    console.error('usher: the servers run; Ctrl-C stops them and removes their data');
    await asked.promise;
  } finally {
    console.error('usher: stopping the servers …');
    await Promise.all(startedServers.map((server) => server.stop()));
    clearInterval(keepAlive);
  }
}

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const names = values.only?.split(',') ?? Object.keys(starters);
const unknown = names.filter((name) => !Object.hasOwn(starters, name));
if (unknown.length > 0) {
  console.error(
    `usher: no such server: ${unknown.join(', ')}; there are ${Object.keys(starters).join(', ')}`,
  );
  process.exit(2);
}
try {
  await run([...new Set(names)]);
} catch (error) {
  console.error(`usher: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
