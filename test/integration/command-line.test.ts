import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminToken, temporaryDirectory, UsherProcess } from './usher-process.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const theatrePlan = fileURLToPath(new URL('../fixtures/plans/theatre.json', import.meta.url));
const directory = temporaryDirectory();
let usher: UsherProcess;

beforeAll(async () => {
  usher = await UsherProcess.start(directory.path);
});

afterAll(async () => {
  await usher?.stop('SIGKILL');
  directory.remove();
});

function cli(args: readonly string[], environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
    env: { PATH: process.env['PATH'], ADMIN_URL: usher.adminUrl, ADMIN_TOKEN: adminToken, ...environment },
  });
  return { status, stdout, stderr };
}

describe('exit codes and help', () => {
  test.each([
    ['--help', ['--help'], 0],
    ['no command', [], 2],
    ['an unknown command', ['sell'], 2],
    ['help of a command', ['audit', '--help'], 0],
    ['a missing argument', ['audit'], 2],
    ['an unknown option', ['schedules', '--colour'], 2],
    ['a schedule that is no number', ['audit', 'first'], 2],
    ['a file that is not there', ['import-plan', '/nowhere.json'], 2],
    ['a price without a category', ['import-plan', theatrePlan, '--prices', '=5'], 2],
    ['a category without a price', ['import-plan', theatrePlan, '--prices', 'Opera=5'], 2],
    ['a wrong admin token', ['schedules', '--admin-token', 'wrong'], 1],
    ['no node at the address', ['schedules', '--admin-url', 'http://127.0.0.1:9'], 1],
    ['an audit of nothing', ['audit', '999'], 1],
    ['help of a command that has commands', ['cluster', 'drain', '--help'], 0],
    ['a cluster that is to do nothing', ['cluster'], 2],
    ['a drain of no node', ['cluster', 'drain'], 2],
    ['an option of another sub-command', ['cluster', 'status', '--dry-run'], 2],
    ['a drain where there is no other node', ['cluster', 'drain', 'usher-1'], 1],
  ])('%s', (_name, args, status) => {
    const result = cli(args);
    expect(result.status, result.stderr).toBe(status);
    expect(result.stdout + result.stderr).toMatch(/usher|Usage/);
    expect(result.stderr).not.toContain('    at ');
  });
});

describe('serve says what it needs', () => {
  const base = { PORT: '0', ADMIN_PORT: '0', DATA_DIR: join(directory.path, 'never') };
  const secret = 'a-secret-of-more-than-thirty-two-bytes';
  test.each([
    ['no secret', { ADMIN_TOKEN: 'x' }, /JWT_SECRET: not set/],
    [
      'a short secret',
      { ADMIN_TOKEN: 'x', JWT_SECRET: 'short' },
      /JWT_SECRET: got a secret, takes at least 32 bytes/,
    ],
    ['no admin token', { ADMIN_TOKEN: '', JWT_SECRET: secret }, /ADMIN_TOKEN: not set/],
    [
      'a port that is none',
      { JWT_SECRET: secret, PORT: '80800' },
      /PORT: got "80800", takes an integer from 0 to 65535/,
    ],
    [
      'limits that contradict',
      { JWT_SECRET: secret, HOLD_TTL_SECONDS: '900', HOLD_TOTAL_MAX_SECONDS: '300' },
      /HOLD_TOTAL_MAX_SECONDS: got 300/,
    ],
    [
      'a gateway in the clear',
      { JWT_SECRET: secret, STRIPE_API_URL: 'http://api.stripe.com', STRIPE_API_KEY: secret },
      /STRIPE_API_URL: got "http:\/\/api\.stripe\.com", takes https:/,
    ],
    [
      'a gateway key that no header carries',
      { JWT_SECRET: secret, STRIPE_API_KEY: `${secret}\n` },
      /STRIPE_API_KEY: got a secret, takes visible ASCII characters/,
    ],
    [
      'calls of the gateway that outlast a payment',
      { JWT_SECRET: secret, PAYMENT_TIME_MAX_SECONDS: '5', GATEWAY_CALL_MAX_MS: '5000' },
      /GATEWAY_CALL_MAX_MS: got 5000, takes less than PAYMENT_TIME_MAX_SECONDS \(5 s\)/,
    ],
    [
      'a database without a user',
      { JWT_SECRET: secret, MYSQL_URL: 'mysql://h/db' },
      /MYSQL_URL: got "mysql:\/\/h\/db", takes mysql:\/\/user:password@host:port\/database/,
    ],
    [
      'a replica of nothing',
      { JWT_SECRET: secret, MYSQL_READ_URL: `mysql://usher:${secret}@h/db` },
      /MYSQL_READ_URL: needs MYSQL_URL/,
    ],
    [
      'a cache by a protocol that it does not speak',
      { JWT_SECRET: secret, REDIS_URL: `http://:${secret}@h` },
      /REDIS_URL: got "http:\/\/\*+@h", takes redis:\/\/host:port/,
    ],
    [
      'a broker without a port',
      { JWT_SECRET: secret, KAFKA_BROKERS: 'one:9092,two' },
      /KAFKA_BROKERS: got "one:9092,two", takes host:port,host:port…/,
    ],
    ['a client with an unknown scope', { JWT_SECRET: secret, CLIENTS: 'a:b:everything' }, /CLIENTS/],
  ])('%s', (_name, environment, line) => {
    const result = cli(['serve'], { ...base, ...environment });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(line);
    expect(result.stderr).not.toContain(secret);
  });
});

describe('an operator puts a hall on sale', () => {
  test('import, list, block, audit', () => {
    const imported = cli([
      'import-plan',
      theatrePlan,
      '--json',
      '--name',
      'Opening night',
      '--starts-at',
      '2030-05-01T19:30:00Z',
      '--prices',
      ...categoriesOf(theatrePlan).map((category) => `${category}=5000`),
    ]);
    expect(imported.status, imported.stderr).toBe(0);
    const { scheduleIds, seats } = JSON.parse(imported.stdout) as { scheduleIds: number[]; seats: number };
    const [scheduleId] = scheduleIds;

    const listed = cli(['schedules']);
    expect(listed.stdout).toContain('Opening night');
    const seatId = firstSeatOf(theatrePlan);
    expect(cli(['block', `${scheduleId}`, seatId]).stdout).toContain('1 of 1 seats blocked');
    expect(cli(['block', `${scheduleId}`, 'nowhere']).status).toBe(1);
    const schedules = JSON.parse(cli(['schedules', '--json']).stdout) as {
      schedules: { scheduleId: number; available: number }[];
    };
    expect(schedules.schedules.find((schedule) => schedule.scheduleId === scheduleId)?.available).toBe(
      seats - 1,
    );
    expect(cli(['unblock', `${scheduleId}`, seatId]).status).toBe(0);

    const audit = cli(['audit', `${scheduleId}`]);
    expect(audit.status, audit.stdout).toBe(0);
    expect(audit.stdout).toMatch(/ok\s+I11/);
  });

  test('a plan with faults is refused with each of them', () => {
    const file = join(directory.path, 'faulty.json');
    const seat = { seat_guid: 'A1', seat_number: '1', position: { x: 0, y: 0 }, category: '' };
    writeFileSync(
      file,
      JSON.stringify({
        name: 'Faulty',
        categories: [],
        zones: [{ name: 'Z', position: { x: 0, y: 0 }, rows: [{ row_number: '1', seats: [seat, seat] }] }],
      }),
    );
    const result = cli(['import-plan', file]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('zones[0].rows[0].seats[1].seat_guid');
  });
});

describe('a node on its own', () => {
  test('is shown as a cluster of one, with all shards', () => {
    const { status, stdout } = cli(['cluster', 'status']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^coordinator: usher-1\n/);
    expect(stdout).toMatch(new RegExp(`^usher-1 +up +.* 256 .* ${usher.publicUrl}$`, 'm'));
    expect(stdout).toMatch(/^usher-1 +256 +\d+ +0–255$/m);
    expect(stdout).toContain('256 shards, 256 active\n');
  });

  test.each([['move', '17', 'usher-2'], ['drain', 'usher-1'], ['rebalance'], ['rebalance', '--dry-run']])(
    'has nobody to %s anything to, and says what it takes',
    (...args) => {
      const { status, stdout, stderr } = cli(['cluster', ...args]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(/^usher cluster: 409 .*CLUSTER_SECRET.*MYSQL_URL.*REDIS_URL/);
    },
  );

  test('has no actions of operators', () => {
    expect(JSON.parse(cli(['cluster', 'actions', '--json']).stdout)).toEqual({ actions: [] });
  });
});

test('config shows every setting, secrets masked', () => {
  const result = cli(['config'], { JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes' });
  expect(result.status).toBe(0);
  for (const name of ['PORT', 'DATA_DIR', 'HOLD_TTL_SECONDS', 'JWT_SECRET'])
    expect(result.stdout).toContain(name);
  expect(result.stdout).not.toContain('a-secret');
});

interface Plan {
  readonly categories: readonly { readonly name: string }[];
  readonly zones: readonly {
    readonly rows: readonly {
      readonly seats: readonly { readonly seat_guid: string; readonly category: string }[];
    }[];
  }[];
}

const readPlan = (file: string): Plan => JSON.parse(readFileSync(file, 'utf8'));
const categoriesOf = (file: string): readonly string[] => [
  ...new Set(
    readPlan(file).zones.flatMap((zone) =>
      zone.rows.flatMap((row) =>
        row.seats.map((seat) => (seat.category === '' ? 'Standard' : seat.category)),
      ),
    ),
  ),
];
const firstSeatOf = (file: string): string => readPlan(file).zones[0]?.rows[0]?.seats[0]?.seat_guid ?? '';
