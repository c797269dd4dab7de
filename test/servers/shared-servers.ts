import { inject, type ProvidedContext } from 'vitest';
import { createDatabase, dropDatabase } from '../../scripts/servers/mysql-databases.ts';

/**
 * The servers that all tests of a project share, for use inside of tests and their hooks. Nobody kills,
 * suspends or restarts them: a test that does starts its own (scripts/servers).
 */
interface SharedMariaDb {
  /** Of a user who may make databases whose names begin with `usher`. */
  readonly url: string;
  /** A fresh, empty database; its URL. */
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
}

export function sharedMariaDb(): SharedMariaDb {
  const url = provided('mysqlUrl', 'mysql-setup.ts');
  return { url, createDatabase: () => createDatabase(url), dropDatabase: (own) => dropDatabase(own) };
}

export function sharedRedisUrl(): string {
  return provided('redisUrl', 'redis-setup.ts');
}

/** Comma-separated, as KAFKA_BROKERS. */
export function sharedKafkaBrokers(): string {
  return provided('kafkaBrokers', 'kafka-setup.ts');
}

function provided(name: keyof ProvidedContext, setUpFile: string): string {
  const address: string | undefined = inject(name);
  if (address !== undefined) return address;
  throw new Error(
    `no server was started: test/servers/${setUpFile} is no globalSetup of this project in vitest.config.ts`,
  );
}
