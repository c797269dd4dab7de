import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, describeSettings, readConfig } from '../../src/config.ts';

/** The lines that say what to change; none when the node would start. */
function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

const mysql = 'mysql://usher:pa%2Fss@db.example:3307/tickets';

test('without a server’s setting there is none', () => {
  expect(readConfig({})).toMatchObject({ mysql: undefined, redis: undefined, kafka: undefined });
});

describe('MySQL', () => {
  test('is told its place, a replica and its limits', () => {
    const environment = { MYSQL_URL: mysql, MYSQL_READ_URL: mysql.replace('db.', 'replica.') };
    expect(readConfig(environment).mysql).toEqual({
      url: mysql,
      readUrl: 'mysql://usher:pa%2Fss@replica.example:3307/tickets',
      poolMax: 10,
      statementMaxMs: 4_000,
      slowStatementMs: 200,
      tls: undefined,
    });
  });

  test.each([
    ['another protocol', 'postgres://u:p@h/db'],
    ['no database', 'mysql://u:p@h:3306/'],
    ['two databases', 'mysql://u:p@h:3306/a/b'],
    ['no user', 'mysql://h/db'],
    ['parameters, which would be ignored', 'mysql://u:p@h/db?ssl=true'],
    ['no URL', 'localhost:3306'],
  ])('with %s stops the start', (_what, url) => {
    const [fault, ...others] = faultsOf({ MYSQL_URL: url });
    expect(fault).toMatch(/^MYSQL_URL: got ".*", takes mysql:\/\/user:password@host:port\/database$/);
    expect(others).toEqual([]);
  });

  test('a replica needs its primary', () => {
    expect(faultsOf({ MYSQL_READ_URL: mysql })).toEqual([
      'MYSQL_READ_URL: needs MYSQL_URL, the primary that it follows',
    ]);
  });
});

describe('Redis', () => {
  test('is told its place and how long it may take', () => {
    expect(readConfig({ REDIS_URL: 'rediss://:secret@cache.example:6380/2' }).redis).toEqual({
      url: 'rediss://:secret@cache.example:6380/2',
      commandMaxMs: 50,
      balanceTtlSeconds: 60,
    });
  });

  test.each(['http://h:6379', 'redis://h:6379/x', 'h:6379', 'redis://h:6379?db=1'])('is not at %s', (url) => {
    expect(faultsOf({ REDIS_URL: url })).toEqual([expect.stringMatching(/^REDIS_URL: got .*, takes redis:/)]);
  });
});

describe('Kafka', () => {
  test('is told its brokers', () => {
    expect(readConfig({ KAFKA_BROKERS: 'a:9092, b.example:9093' }).kafka).toEqual({
      brokers: ['a:9092', 'b.example:9093'],
      partitions: 12,
      tls: undefined,
      sasl: undefined,
    });
  });

  test.each(['a', 'a:', 'a:9092,', 'a:0', 'a:99999', 'kafka://a:9092', '[::1]:9092'])(
    'has no broker %j',
    (brokers) => {
      expect(faultsOf({ KAFKA_BROKERS: brokers })).toEqual([
        `KAFKA_BROKERS: got ${JSON.stringify(brokers)}, takes host:port,host:port…`,
      ]);
    },
  );

  test('is told who calls, and takes no half of it', () => {
    const whole = {
      KAFKA_BROKERS: 'a:9092',
      KAFKA_SASL: 'scram-sha-512',
      KAFKA_USERNAME: 'usher',
      KAFKA_PASSWORD: 'secret',
    };
    expect(readConfig(whole).kafka?.sasl).toEqual({
      mechanism: 'scram-sha-512',
      username: 'usher',
      password: 'secret',
    });
    expect(faultsOf({ ...whole, KAFKA_PASSWORD: '' })).toEqual([
      'KAFKA_SASL: scram-sha-512 needs KAFKA_USERNAME and KAFKA_PASSWORD',
    ]);
  });
});

describe.each([
  { server: 'MYSQL', place: { MYSQL_URL: mysql } },
  { server: 'KAFKA', place: { KAFKA_BROKERS: 'a:9092' } },
])('TLS of $server', ({ server, place }) => {
  let folder = '';
  let pem = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'usher-settings-'));
    pem = join(folder, 'ca.pem');
    writeFileSync(pem, '-----BEGIN CERTIFICATE-----\n');
    writeFileSync(join(folder, 'no.pem'), 'nothing');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('reads the files that are named', () => {
    const config = readConfig({ ...place, [`${server}_TLS`]: 'on', [`${server}_CA_FILE`]: pem });
    expect(server === 'MYSQL' ? config.mysql?.tls?.ca : config.kafka?.tls?.caFile).toBe(
      server === 'MYSQL' ? '-----BEGIN CERTIFICATE-----\n' : pem,
    );
  });

  test('stops the start on a file that is not there, or is none', () => {
    const tls = { ...place, [`${server}_TLS`]: 'on' };
    expect(faultsOf({ ...tls, [`${server}_CA_FILE`]: join(folder, 'gone.pem') })).toEqual([
      expect.stringMatching(new RegExp(`^${server}_CA_FILE: got .*, takes a file that can be read`)),
    ]);
    expect(faultsOf({ ...tls, [`${server}_CA_FILE`]: join(folder, 'no.pem') })).toEqual([
      expect.stringMatching(new RegExp(`^${server}_CA_FILE: got .*, takes a PEM file$`)),
    ]);
  });

  test('takes no file without it, and no certificate without its key', () => {
    expect(faultsOf({ ...place, [`${server}_CA_FILE`]: pem })).toEqual([
      `${server}_CA_FILE: has no effect without ${server}_TLS=on`,
    ]);
    expect(faultsOf({ ...place, [`${server}_TLS`]: 'on', [`${server}_CERT_FILE`]: pem })).toEqual([
      `${server}_CERT_FILE and ${server}_KEY_FILE: one needs the other`,
    ]);
  });
});

test('passwords are shown to nobody', () => {
  const shown = describeSettings({
    MYSQL_URL: mysql,
    REDIS_URL: 'redis://me:secret@h:6379',
    KAFKA_PASSWORD: 'secret',
  });
  const values = Object.fromEntries(shown.map(({ name, value }) => [name, value]));
  expect(values).toMatchObject({
    MYSQL_URL: 'mysql://********@db.example:3307/tickets',
    REDIS_URL: 'redis://********@h:6379',
    KAFKA_PASSWORD: '********',
  });
});
