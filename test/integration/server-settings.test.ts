import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** What `usher config` shows of the servers that a node stands on. */
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const secret = 'not-for-everybodys-eyes';

const environment = {
  MYSQL_URL: `mysql://usher:${secret}@db.example:3307/tickets`,
  MYSQL_READ_URL: `mysql://usher:${secret}@replica.example/tickets`,
  REDIS_URL: `rediss://usher:${secret}@cache.example:6380/2`,
  KAFKA_BROKERS: 'one.example:9092,two.example:9092',
  KAFKA_SASL: 'plain',
  KAFKA_USERNAME: 'usher',
  KAFKA_PASSWORD: secret,
};

function config(args: readonly string[], environment: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'config', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
    env: { PATH: process.env['PATH'], ...environment },
  });
  return { status, stdout, stderr };
}

interface Shown {
  readonly name: string;
  readonly value?: string;
  readonly default?: string;
  readonly meaning: string;
}

function shown(environment: Record<string, string>): ReadonlyMap<string, Shown> {
  const { status, stdout, stderr } = config(['--json'], environment);
  expect(status, stderr).toBe(0);
  expect(stdout).not.toContain(secret);
  const { settings } = JSON.parse(stdout) as { settings: readonly Shown[] };
  return new Map(settings.map((setting) => [setting.name, setting]));
}

test('shows where each server is, and no password', () => {
  const settings = shown(environment);
  const values = Object.fromEntries(
    Object.keys(environment).map((name) => [name, settings.get(name)?.value]),
  );
  expect(values).toEqual({
    MYSQL_URL: 'mysql://********@db.example:3307/tickets',
    MYSQL_READ_URL: 'mysql://********@replica.example/tickets',
    REDIS_URL: 'rediss://********@cache.example:6380/2',
    KAFKA_BROKERS: 'one.example:9092,two.example:9092',
    KAFKA_SASL: 'plain',
    KAFKA_USERNAME: 'usher',
    KAFKA_PASSWORD: '********',
  });
  const table = config([], environment).stdout;
  expect(table).not.toContain(secret);
  expect(table).toMatch(/^KAFKA_BROKERS +one\.example:9092,two\.example:9092 /m);
});

test('has a default and a meaning for each that is not set', () => {
  const settings = shown({});
  const defaults = {
    MYSQL_URL: undefined,
    MYSQL_READ_URL: undefined,
    MYSQL_POOL_MAX: '10',
    REDIS_URL: undefined,
    BALANCE_CACHE_TTL_SECONDS: '60',
    KAFKA_BROKERS: undefined,
    KAFKA_PASSWORD: undefined,
    JOURNAL_RETENTION_HOURS: '168',
  };
  for (const [name, value] of Object.entries(defaults)) {
    const { default: fallback, meaning = '' } = settings.get(name) ?? {};
    expect([name, fallback]).toEqual([name, value]);
    expect(meaning.length).toBeGreaterThan(10);
  }
});

describe('a URL that can’t be read is refused without its password', () => {
  test.each([`p#${secret}`, `p/${secret}`, `p?${secret}`, `%${secret}`])('%s', (password) => {
    const { status, stdout, stderr } = config([], {
      MYSQL_URL: `mysql://usher:${password}@db.example/tickets`,
    });
    expect(status).toBe(1);
    expect(stdout + stderr).not.toContain(secret);
    expect(stderr).toContain('MYSQL_URL: got "mysql://********@db.example/tickets", takes mysql://');
  });
});
