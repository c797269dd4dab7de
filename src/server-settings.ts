import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { checkedText, choice, integerSetting, type Setting, secretOf, text } from './setting.ts';

/** The settings of the servers that Usher can stand on: MySQL, Redis and Kafka, each on its own. */

function isMySqlUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password, pathname, search, hash } = new URL(value);
  const isBare = search + hash === '' && areEscapesWhole(username + password + pathname);
  return (
    protocol === 'mysql:' && hostname !== '' && username !== '' && /^\/[^/]{1,64}$/.test(pathname) && isBare
  );
}

/** A % of a password that was not written as %25 is taken for one. */
function areEscapesWhole(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function isRedisUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password, pathname, search, hash } = new URL(value);
  const isBare = search + hash === '' && areEscapesWhole(username + password);
  return /^rediss?:$/.test(protocol) && hostname !== '' && /^\/?[0-9]*$/.test(pathname) && isBare;
}

/** No IPv6 literals: kafkajs takes none. */
const brokerPattern = /^[a-z0-9._-]+:([0-9]{1,5})$/i;

function isBroker(value: string): boolean {
  const port = Number(brokerPattern.exec(value)?.[1]);
  return port >= 1 && port <= 65_535;
}

const mySqlUrlTakes = 'mysql://user:password@host:port/database';

export const serverSettings = {
  MYSQL_URL: checkedText(
    isMySqlUrl,
    mySqlUrlTakes,
    'The store: MySQL 8.4 or MariaDB 10.11. Unset: SQLite files in DATA_DIR.',
  ),
  MYSQL_READ_URL: checkedText(
    isMySqlUrl,
    mySqlUrlTakes,
    'A replica for the lists that people browse. Unset, or not answering: the primary.',
  ),
  MYSQL_POOL_MAX: integerSetting(
    10,
    1,
    500,
    'Connections for reads: of the store as many, and of the ledger, to each MySQL server.',
  ),
  MYSQL_STATEMENT_MAX_MS: integerSetting(
    4_000,
    100,
    5_000,
    'A slower statement fails, and its connection is closed.',
  ),
  MYSQL_TLS: choice(
    ['off', 'on'],
    'off',
    'On: encrypted, and the certificate must be the host’s. Credentials go in the clear without it.',
  ),
  MYSQL_CA_FILE: text(undefined, 'PEM file of the authority that MySQL’s certificate is from.'),
  MYSQL_CERT_FILE: text(undefined, 'PEM file of the certificate that Usher shows MySQL.'),
  MYSQL_KEY_FILE: text(undefined, 'PEM file of its key.'),
  SLOW_QUERY_MS: integerSetting(200, 1, 60_000, 'A slower SQL statement is logged, without its values.'),
  REDIS_URL: checkedText(
    isRedisUrl,
    'redis://host:port or rediss://host:port, with a user and password before the host if need be',
    'A cache of balances and of counts. Unset: none.',
  ),
  REDIS_COMMAND_MAX_MS: integerSetting(
    50,
    1,
    1_000,
    'A slower command of Redis is given up, and the source is asked.',
  ),
  BALANCE_CACHE_TTL_SECONDS: integerSetting(60, 1, 43_200, 'How long Redis keeps a balance.'),
  KAFKA_BROKERS: {
    schema: v.pipe(
      v.string(),
      v.transform((value) => value.split(',').map((part) => part.trim())),
      v.array(v.pipe(v.string(), v.check(isBroker))),
    ),
    default: undefined,
    takes: 'host:port,host:port…',
    meaning: 'Where events are published. Unset: the journal is the feed.',
  } satisfies Setting<string[]>,
  KAFKA_TOPIC_PARTITIONS: integerSetting(12, 1, 10_000, 'Partitions of a topic that Usher has to make.'),
  KAFKA_TLS: choice(['off', 'on'], 'off', 'On: encrypted, and the certificate must be the broker’s.'),
  KAFKA_CA_FILE: text(undefined, 'PEM file of the authority that Kafka’s certificates are from.'),
  KAFKA_CERT_FILE: text(undefined, 'PEM file of the certificate that Usher shows Kafka.'),
  KAFKA_KEY_FILE: text(undefined, 'PEM file of its key.'),
  KAFKA_SASL: choice(
    ['off', 'plain', 'scram-sha-256', 'scram-sha-512'],
    'off',
    'How Usher tells Kafka who it is.',
  ),
  KAFKA_USERNAME: text(undefined, 'Name for KAFKA_SASL.'),
  KAFKA_PASSWORD: secretOf(1, 'Password for KAFKA_SASL.'),
  JOURNAL_RETENTION_HOURS: integerSetting(
    168,
    1,
    87_600,
    'How long events stay in the journal once they are projected and published.',
  ),
};

export interface MySqlConfig {
  readonly url: string;
  readonly readUrl: string | undefined;
  readonly poolMax: number;
  readonly statementMaxMs: number;
  readonly slowStatementMs: number;
  readonly tls: TlsTexts | undefined;
}

export interface RedisConfig {
  readonly url: string;
  readonly commandMaxMs: number;
  readonly balanceTtlSeconds: number;
}

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly partitions: number;
  readonly tls: TlsFiles | undefined;
  readonly sasl:
    | {
        readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
        readonly username: string;
        readonly password: string;
      }
    | undefined;
}

/** PEM files, which are there. */
interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** PEM texts. */
interface TlsTexts {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface ServerConfig {
  /** Undefined: SQLite. */
  readonly mysql: MySqlConfig | undefined;
  readonly redis: RedisConfig | undefined;
  readonly kafka: KafkaConfig | undefined;
  readonly journalRetentionHours: number;
}

type ServerSettingName = keyof typeof serverSettings;
type SettingValue<Name extends ServerSettingName> = v.InferOutput<(typeof serverSettings)[Name]['schema']>;

/** Reads one of them; undefined where it is not set, or wrong and so among the faults already. */
type ReadServerSetting = <Name extends ServerSettingName>(name: Name) => SettingValue<Name> | undefined;

/** @param faults lines for people are added where settings contradict each other. */
export function readServerConfig(read: ReadServerSetting, faults: string[]): ServerConfig {
  return {
    mysql: readMySql(read, faults),
    redis: readRedis(read),
    kafka: readKafka(read, faults),
    journalRetentionHours: read('JOURNAL_RETENTION_HOURS') ?? 0,
  };
}

function readMySql(read: ReadServerSetting, faults: string[]): MySqlConfig | undefined {
  const url = read('MYSQL_URL');
  const readUrl = read('MYSQL_READ_URL');
  const tls = readTls('MYSQL', read('MYSQL_TLS') === 'on', faults, {
    CA: read('MYSQL_CA_FILE'),
    CERT: read('MYSQL_CERT_FILE'),
    KEY: read('MYSQL_KEY_FILE'),
  });
  const poolMax = read('MYSQL_POOL_MAX') ?? 0;
  const statementMaxMs = read('MYSQL_STATEMENT_MAX_MS') ?? 0;
  const slowStatementMs = read('SLOW_QUERY_MS') ?? 0;
  if (url === undefined) {
    if (readUrl !== undefined && faults.length === 0) {
      faults.push('MYSQL_READ_URL: needs MYSQL_URL, the primary that it follows');
    }
    return undefined;
  }
  return { url, readUrl, poolMax, statementMaxMs, slowStatementMs, tls };
}

function readRedis(read: ReadServerSetting): RedisConfig | undefined {
  const url = read('REDIS_URL');
  const commandMaxMs = read('REDIS_COMMAND_MAX_MS') ?? 0;
  const balanceTtlSeconds = read('BALANCE_CACHE_TTL_SECONDS') ?? 0;
  return url === undefined ? undefined : { url, commandMaxMs, balanceTtlSeconds };
}

function readKafka(read: ReadServerSetting, faults: string[]): KafkaConfig | undefined {
  const brokers = read('KAFKA_BROKERS');
  const partitions = read('KAFKA_TOPIC_PARTITIONS') ?? 0;
  const [caFile, certFile, keyFile] = [
    read('KAFKA_CA_FILE'),
    read('KAFKA_CERT_FILE'),
    read('KAFKA_KEY_FILE'),
  ];
  const tls = readTls('KAFKA', read('KAFKA_TLS') === 'on', faults, {
    CA: caFile,
    CERT: certFile,
    KEY: keyFile,
  });
  const mechanism = read('KAFKA_SASL') ?? 'off';
  const username = read('KAFKA_USERNAME');
  const password = read('KAFKA_PASSWORD');
  if (mechanism !== 'off' && (username === undefined || password === undefined)) {
    faults.push(`KAFKA_SASL: ${mechanism} needs KAFKA_USERNAME and KAFKA_PASSWORD`);
  }
  if (brokers === undefined) return undefined;
  const files = {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  };
  const sasl =
    mechanism === 'off' ? undefined : { mechanism, username: username ?? '', password: password ?? '' };
  return { brokers, partitions, tls: tls === undefined ? undefined : files, sasl };
}

/** @param files paths of PEM files by the middle of their settings' names. */
function readTls(
  server: 'MYSQL' | 'KAFKA',
  isOn: boolean,
  faults: string[],
  files: {
    readonly CA: string | undefined;
    readonly CERT: string | undefined;
    readonly KEY: string | undefined;
  },
): TlsTexts | undefined {
  const pem = (file: 'CA' | 'CERT' | 'KEY') => readPem(`${server}_${file}_FILE`, files[file], faults);
  if ((files.CERT === undefined) !== (files.KEY === undefined)) {
    faults.push(`${server}_CERT_FILE and ${server}_KEY_FILE: one needs the other`);
  }
  if (!isOn) {
    const named = (['CA', 'CERT', 'KEY'] as const).find((file) => files[file] !== undefined);
    if (named !== undefined) faults.push(`${server}_${named}_FILE: has no effect without ${server}_TLS=on`);
    return undefined;
  }
  return { ca: pem('CA'), cert: pem('CERT'), key: pem('KEY') };
}

function readPem(name: string, path: string | undefined, faults: string[]): string | undefined {
  if (path === undefined) return undefined;
  try {
    const pem = readFileSync(path, 'utf8');
    if (pem.includes('-----BEGIN ')) return pem;
    faults.push(`${name}: got ${JSON.stringify(path)}, takes a PEM file`);
  } catch (error) {
    faults.push(
      `${name}: got ${JSON.stringify(path)}, takes a file that can be read (${(error as Error).message})`,
    );
  }
  return undefined;
}
