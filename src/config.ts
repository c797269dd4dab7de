import * as v from 'valibot';
import { adjacentSeatsMax } from './actors/allocator/free-seats.ts';
import { type ClusterConfig, clusterSettings, readClusterConfig } from './cluster-settings.ts';
import { readServerConfig, type ServerConfig, serverSettings } from './server-settings.ts';
import { integerSetting, limitSetting, type Setting, secretOf, text } from './setting.ts';

/**
 * Every setting of Usher, once: its name, what it takes, its default and what it means. The only file that
 * reads the environment. A wrong value stops the start with a line that says what to change.
 */
export interface Config extends ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly dataDir: string;
  readonly nodeId: string;
  readonly jwtSecret: string | undefined;
  readonly jwksUrl: string | undefined;
  readonly jwtIssuer: string | undefined;
  readonly jwtAudience: string | undefined;
  readonly tokenTtlSeconds: number;
  readonly clients: readonly Client[];
  readonly adminToken: string | undefined;
  readonly holdTtlSeconds: number;
  readonly holdTotalMaxSeconds: number;
  readonly payWaitMaxMs: number;
  readonly paymentTimeMaxSeconds: number;
  readonly ledgerWaitingMax: number;
  readonly stripeApiUrl: string;
  /** Undefined: no cards. */
  readonly stripeApiKey: string | undefined;
  readonly gatewayCallsMax: number;
  readonly gatewayCallMaxMs: number;
  readonly gatewayBreakerOpenMs: number;
  readonly seatsPerReservationMax: number;
  /** Infinity = no limit. */
  readonly seatsPerUserMax: number;
  /** Infinity = no limit. */
  readonly requestsPerUserPerSecondMax: number;
  readonly mailboxMax: number;
  readonly batchRowsMax: number;
  readonly idleActorSeconds: number;
  readonly shutdownGraceSeconds: number;
  readonly logLevel: LogLevel;
  /** Undefined: the node is on its own. */
  readonly cluster: ClusterConfig | undefined;
}

/** A trusted front end that may ask for its users' tokens. */
interface Client {
  readonly id: string;
  readonly secret: string;
  readonly scopes: readonly TokenScope[];
}

/** The scopes of tokens, as the contract names them. */
const tokenScopes = ['reserve', 'pay', 'points:read', 'points:charge'] as const;
type TokenScope = (typeof tokenScopes)[number];

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type LogLevel = (typeof logLevels)[number];

export class ConfigError extends Error {
  override name = 'ConfigError';
}

const clientPattern = /^([^:;\s]{1,64}):([^:;]{1,256}):([a-z: ]+)$/;

const clientsSchema = v.pipe(
  v.string(),
  v.transform((value) => value.split(';').filter((part) => part.trim() !== '')),
  v.array(
    v.pipe(
      v.string(),
      v.regex(clientPattern),
      v.check((part) => scopeWords(part).every(isScope)),
      v.transform(toClient),
    ),
  ),
);

/** The key goes with every call: in the clear only to this machine. */
function isGatewayUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, pathname, search, hash } = new URL(text);
  const isLoopback = /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname);
  const isBare = username + password + search + hash === '' && pathname === '/';
  return isBare && (protocol === 'https:' || (protocol === 'http:' && isLoopback));
}

const isScope = (word: string): word is TokenScope => (tokenScopes as readonly string[]).includes(word);

const scopeWords = (part: string): readonly string[] =>
  (clientPattern.exec(part)?.[3] ?? '').split(' ').filter((word) => word !== '');

function toClient(part: string): Client {
  const [, id = '', secret = ''] = clientPattern.exec(part) ?? [];
  return { id, secret, scopes: scopeWords(part).filter(isScope) };
}

const settings = {
  HOST: text('127.0.0.1', 'Address of the public port; 0.0.0.0 for every interface.'),
  PORT: integerSetting(8080, 0, 65_535, 'Public port; 0 takes a free one.'),
  ADMIN_HOST: text('127.0.0.1', 'Address of the admin port.'),
  ADMIN_PORT: integerSetting(8081, 0, 65_535, 'Admin port; 0 takes a free one.'),
  DATA_DIR: text(
    './data',
    'Directory of the embedded store, and of the demo’s secrets; one process at a time. serve needs none on MySQL.',
  ),
  NODE_ID: text('usher-1', 'Name of this node, for people.'),
  JWT_SECRET: secretOf(32, 'Key of HS256 tokens. serve needs it, or JWKS_URL.'),
  JWKS_URL: {
    schema: v.pipe(v.string(), v.url()),
    default: undefined,
    takes: 'a URL',
    meaning: "The token issuer's public keys.",
  } satisfies Setting<string>,
  JWT_ISSUER: text(undefined, 'Tokens must have this `iss`.'),
  JWT_AUDIENCE: text(undefined, 'Tokens must have this `aud`.'),
  TOKEN_TTL_SECONDS: integerSetting(3600, 1, 604_800, 'Life of a token from POST /auth/token.'),
  CLIENTS: {
    schema: clientsSchema,
    default: '',
    takes: `id:secret:scope scope;… with the scopes ${tokenScopes.join(', ')}`,
    meaning: 'Front ends that may ask for tokens, with the scopes that they may grant.',
    isSecret: true,
  } satisfies Setting<Client[]>,
  ADMIN_TOKEN: secretOf(1, 'Bearer token of the admin port. serve needs it.'),
  HOLD_TTL_SECONDS: integerSetting(300, 1, 86_400, 'How long a hold lasts.'),
  HOLD_TOTAL_MAX_SECONDS: integerSetting(
    900,
    1,
    604_800,
    'How long a hold lasts at most, extended. A payment may add its own time.',
  ),
  PAY_WAIT_MAX_MS: integerSetting(2_000, 1, 60_000, 'A payment slower than this is answered 202.'),
  PAYMENT_TIME_MAX_SECONDS: integerSetting(
    120,
    1,
    3_600,
    'A payment that is not over by then loses its seats; money that comes later goes back.',
  ),
  LEDGER_WAITING_MAX: integerSetting(20_000, 1, 1_000_000, 'Changes of accounts that wait; over it, 503.'),
  STRIPE_API_URL: {
    schema: v.pipe(v.string(), v.check(isGatewayUrl)),
    default: 'https://api.stripe.com',
    takes: 'https://host, or http:// on loopback, without a path or credentials',
    meaning: 'Where cards are charged: Stripe, or what speaks like it (usher sandbox-gateway).',
  } satisfies Setting<string>,
  STRIPE_API_KEY: {
    schema: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,500}$/)),
    default: undefined,
    takes: 'visible ASCII characters',
    meaning: 'Secret key of the gateway. Unset: no cards.',
    isSecret: true,
  } satisfies Setting<string>,
  GATEWAY_CALLS_MAX: integerSetting(64, 1, 1_000, 'Calls of the gateway at a time; over it, 503.'),
  GATEWAY_CALL_MAX_MS: integerSetting(
    4_000,
    100,
    60_000,
    'A slower call counts as failed, and is asked for again.',
  ),
  GATEWAY_BREAKER_OPEN_MS: integerSetting(
    5_000,
    100,
    600_000,
    'After failures the gateway rests for so long before one call tries it.',
  ),
  SEATS_PER_RESERVATION_MAX: integerSetting(10, 1, adjacentSeatsMax, 'Seats in one reservation.'),
  SEATS_PER_USER_MAX: limitSetting(1, 200_000, 'Live seats of a user in one schedule.'),
  REQUESTS_PER_USER_PER_SECOND_MAX: limitSetting(1, 100_000, 'POSTs of a user a second; over it, 429.'),
  MAILBOX_MAX: integerSetting(
    20_000,
    1,
    1_000_000,
    'Commands that wait for the disk, and payments that are open; over it, 503.',
  ),
  BATCH_ROWS_MAX: integerSetting(1_000, 500, 10_000, 'Events in one transaction.'),
  IDLE_ACTOR_SECONDS: integerSetting(600, 1, 86_400, 'Unused for this long, a schedule leaves memory.'),
  SHUTDOWN_GRACE_SECONDS: integerSetting(10, 1, 600, 'How long SIGTERM waits for open requests.'),
  ...serverSettings,
  ...clusterSettings,
  LOG_LEVEL: {
    schema: v.picklist(logLevels),
    default: 'info',
    takes: logLevels.join(', '),
    meaning: 'Least severe log line that is written.',
  } satisfies Setting<LogLevel>,
};

type SettingName = keyof typeof settings;

/** @throws ConfigError with a line a fault. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const faults: string[] = [];
  const read = <Name extends SettingName>(name: Name) => readSetting(name, environment, faults);
  const servers = readServerConfig(read, faults);
  const config = {
    host: read('HOST') ?? '',
    port: read('PORT') ?? 0,
    adminHost: read('ADMIN_HOST') ?? '',
    adminPort: read('ADMIN_PORT') ?? 0,
    dataDir: read('DATA_DIR') ?? '',
    nodeId: read('NODE_ID') ?? '',
    jwtSecret: read('JWT_SECRET'),
    jwksUrl: read('JWKS_URL'),
    jwtIssuer: read('JWT_ISSUER'),
    jwtAudience: read('JWT_AUDIENCE'),
    tokenTtlSeconds: read('TOKEN_TTL_SECONDS') ?? 0,
    clients: read('CLIENTS') ?? [],
    adminToken: read('ADMIN_TOKEN'),
    holdTtlSeconds: read('HOLD_TTL_SECONDS') ?? 0,
    holdTotalMaxSeconds: read('HOLD_TOTAL_MAX_SECONDS') ?? 0,
    payWaitMaxMs: read('PAY_WAIT_MAX_MS') ?? 0,
    paymentTimeMaxSeconds: read('PAYMENT_TIME_MAX_SECONDS') ?? 0,
    ledgerWaitingMax: read('LEDGER_WAITING_MAX') ?? 0,
    stripeApiUrl: read('STRIPE_API_URL') ?? '',
    stripeApiKey: read('STRIPE_API_KEY'),
    gatewayCallsMax: read('GATEWAY_CALLS_MAX') ?? 0,
    gatewayCallMaxMs: read('GATEWAY_CALL_MAX_MS') ?? 0,
    gatewayBreakerOpenMs: read('GATEWAY_BREAKER_OPEN_MS') ?? 0,
    seatsPerReservationMax: read('SEATS_PER_RESERVATION_MAX') ?? 0,
    seatsPerUserMax: read('SEATS_PER_USER_MAX') ?? Number.POSITIVE_INFINITY,
    requestsPerUserPerSecondMax: read('REQUESTS_PER_USER_PER_SECOND_MAX') ?? Number.POSITIVE_INFINITY,
    mailboxMax: read('MAILBOX_MAX') ?? 0,
    batchRowsMax: read('BATCH_ROWS_MAX') ?? 0,
    idleActorSeconds: read('IDLE_ACTOR_SECONDS') ?? 0,
    shutdownGraceSeconds: read('SHUTDOWN_GRACE_SECONDS') ?? 0,
    logLevel: read('LOG_LEVEL') ?? 'info',
    ...servers,
    cluster: readClusterConfig(
      read,
      {
        host: read('HOST') ?? '',
        nodeId: read('NODE_ID') ?? '',
        hasMySql: servers.mysql !== undefined,
        hasRedis: servers.redis !== undefined,
      },
      faults,
    ),
  };
  if (faults.length === 0 && config.holdTotalMaxSeconds < config.holdTtlSeconds) {
    faults.push(
      `HOLD_TOTAL_MAX_SECONDS: got ${config.holdTotalMaxSeconds}, takes at least HOLD_TTL_SECONDS (${config.holdTtlSeconds})`,
    );
  }
  if (faults.length === 0 && config.paymentTimeMaxSeconds * 1000 <= config.payWaitMaxMs) {
    faults.push(
      `PAYMENT_TIME_MAX_SECONDS: got ${config.paymentTimeMaxSeconds}, takes more than PAY_WAIT_MAX_MS (${config.payWaitMaxMs} ms)`,
    );
  }
  if (faults.length === 0 && config.paymentTimeMaxSeconds * 1000 <= config.gatewayCallMaxMs) {
    faults.push(
      `GATEWAY_CALL_MAX_MS: got ${config.gatewayCallMaxMs}, takes less than PAYMENT_TIME_MAX_SECONDS (${config.paymentTimeMaxSeconds} s)`,
    );
  }
  if (isSet(environment['STRIPE_API_URL']) && !isSet(environment['STRIPE_API_KEY'])) {
    faults.push('STRIPE_API_KEY: not set; STRIPE_API_URL needs the key of that gateway');
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return config;
}

/** What `serve` needs beyond a valid config. */
export function requireServeSettings(config: Config): void {
  const faults: string[] = [];
  if (config.jwtSecret === undefined && config.jwksUrl === undefined) {
    faults.push('JWT_SECRET: not set; serve takes at least 32 bytes, or JWKS_URL');
  }
  if (config.adminToken === undefined)
    faults.push('ADMIN_TOKEN: not set; serve takes the bearer token of the admin port');
  else if (!isLoopback(config.adminHost) && Buffer.byteLength(config.adminToken) < openAdminTokenBytesMin) {
    faults.push(
      `ADMIN_TOKEN: got ${Buffer.byteLength(config.adminToken)} bytes, takes at least ${openAdminTokenBytesMin} where ADMIN_HOST (${config.adminHost}) is not this machine alone`,
    );
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
}

/** Other machines may try tokens at an admin port that is not on loopback. */
const openAdminTokenBytesMin = 16;

const isLoopback = (host: string): boolean => /^(?:127\.\d+\.\d+\.\d+|localhost|::1)$/.test(host);

interface SettingDescription {
  readonly name: string;
  /** Secrets and the credentials of URLs are masked. */
  readonly value: string | undefined;
  readonly default: string | undefined;
  readonly takes: string;
  readonly meaning: string;
}

export function describeSettings(
  environment: NodeJS.ProcessEnv = process.env,
): readonly SettingDescription[] {
  return (Object.keys(settings) as SettingName[]).map((name) => {
    const setting: Setting<unknown> = settings[name];
    const value = isSet(environment[name]) ? environment[name] : setting.default;
    return {
      name,
      value: setting.isSecret && value !== undefined && value !== '' ? mask : withoutCredentials(value),
      default: setting.default,
      takes: setting.takes,
      meaning: setting.meaning,
    };
  });
}

type SettingValue<Name extends SettingName> = v.InferOutput<(typeof settings)[Name]['schema']>;

function readSetting<Name extends SettingName>(
  name: Name,
  environment: NodeJS.ProcessEnv,
  faults: string[],
): SettingValue<Name> | undefined {
  const setting = settings[name] as Setting<SettingValue<Name>>;
  const value = isSet(environment[name]) ? environment[name] : setting.default;
  if (value === undefined) return undefined;
  const result = v.safeParse(setting.schema, value);
  if (result.success) return result.output;
  const got = setting.isSecret ? 'a secret' : JSON.stringify(withoutCredentials(value));
  faults.push(`${name}: got ${got}, takes ${setting.takes}`);
  return undefined;
}

const mask = '********';

/** Of a URL, those before its host, also where a character of a password that should be escaped ends the host early. */
function withoutCredentials(value: string | undefined): string | undefined {
  return value?.replace(/\/\/.*@/s, `//${mask}@`);
}

/** Empty counts as unset: that is how a compose file or a shell leaves a setting out. */
const isSet = (value: string | undefined): value is string => value !== undefined && value !== '';
