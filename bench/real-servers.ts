import { startKafka } from '../scripts/servers/kafka.ts';
import { startMariaDb } from '../scripts/servers/mariadb.ts';
import { startRedis } from '../scripts/servers/redis.ts';

/** Servers of a bench's own, on free ports of loopback, with the settings that switch Usher to them. */
export interface RealServers {
  readonly environment: Record<string, string>;
  readonly mysqlUrl: string;
  /** Another one, empty; its URL. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/** @param which beside MariaDB: nothing, Redis, or Redis and Kafka. */
export async function startRealServers(which: 'mysql' | 'redis' | 'all'): Promise<RealServers> {
  const mysql = await startMariaDb();
  if (which === 'mysql') {
    return {
      environment: { MYSQL_URL: mysql.url },
      mysqlUrl: mysql.url,
      createDatabase: () => mysql.createDatabase(),
      stop: () => mysql.stop(),
    };
  }
  const redis = await startRedis();
  if (which === 'redis') {
    return {
      environment: { MYSQL_URL: mysql.url, REDIS_URL: redis.url },
      mysqlUrl: mysql.url,
      createDatabase: () => mysql.createDatabase(),
      async stop() {
        await Promise.all([mysql.stop(), redis.stop()]);
      },
    };
  }
  const kafka = await startKafka();
  return {
    environment: { MYSQL_URL: mysql.url, REDIS_URL: redis.url, KAFKA_BROKERS: kafka.brokers },
    mysqlUrl: mysql.url,
    createDatabase: () => mysql.createDatabase(),
    async stop() {
      await Promise.all([mysql.stop(), redis.stop(), kafka.stop()]);
    },
  };
}
