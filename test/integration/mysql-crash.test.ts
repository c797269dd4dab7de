import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MariaDb, startMariaDb } from '../../scripts/servers/mariadb.ts';
import { type CutPoint, MysqlCuttingProxy } from '../../scripts/servers/mysql-cutting-proxy.ts';
import { Prng } from '../simulation/prng.ts';
import { expectInMySql } from './mysql-history.ts';
import { Sale } from './sale.ts';
import { expectKept } from './sale-checks.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/**
 * The database under a sale is killed, or a connection to it is cut in the COMMIT of a batch, while 40 clients
 * fight for the seats of five schedules: a batch has events of several shards.
 */
const killCount = 8;
const cutCount = 40;
const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);

const directory = temporaryDirectory();
let server: MariaDb;
let databaseUrl: string;
let proxy: MysqlCuttingProxy;
let usher: UsherProcess;
let sale: Sale;

beforeAll(async () => {
  server = await startMariaDb();
});
afterAll(async () => {
  await server?.stop();
  directory.remove();
});
beforeEach(async () => {
  databaseUrl = await server.createDatabase();
  proxy = await MysqlCuttingProxy.start(databaseUrl);
  usher = await UsherProcess.start(directory.path, { MYSQL_URL: proxy.url });
  sale = await Sale.open({ node: () => usher, prng: new Prng(seed), scheduleCount: 5 });
  await sale.begin();
});
afterEach(async () => {
  await usher?.stop('SIGKILL');
  await proxy?.stop();
});

const unknownOutcomes = (): number => usher.output.match(/commit of unknown outcome/g)?.length ?? 0;

async function expectNothingLost(): Promise<void> {
  await sale.end();
  await expectKept(usher, sale);
  await expectInMySql(databaseUrl, sale);
}

test(`SIGKILL of the database, ${killCount} times (KILL_SEED=${seed})`, async () => {
  const prng = new Prng(seed);
  for (let kill = 0; kill < killCount; kill++) {
    await sale.hasSold(20);
    await delay(prng.below(200));
    await server.kill9();
    await delay(prng.below(500));
    await server.restart();
  }
  await sale.hasSold(20);
  await expectNothingLost();
  expect(unknownOutcomes(), 'some were in the middle of a COMMIT').toBeGreaterThan(0);
});

describe('the connection is cut in the COMMIT of a batch', () => {
  const cutNext = async (point: CutPoint) => {
    const cutsBefore = proxy.cuts;
    proxy.cutAtNextCommit(point);
    await expect.poll(() => proxy.cuts, { timeout: 10_000, interval: 5 }).toBe(cutsBefore + 1);
  };
  const points: readonly CutPoint[] = ['before-commit', 'before-answer'];
  test.each(points)(`${cutCount} times %s: no client notices (KILL_SEED=${seed})`, async (point) => {
    for (let cut = 0; cut < cutCount; cut++) {
      await cutNext(point);
      await sale.hasSold(3);
    }
    await expectNothingLost();
    // The others were of a projection.
    expect(unknownOutcomes()).toBeGreaterThan(cutCount / 2);
    expect([sale.setbacks.lostAnswers, [...sale.setbacks.unavailable]]).toEqual([0, []]);
  });

  test(`again and again, now here and now there (KILL_SEED=${seed})`, async () => {
    const prng = new Prng(seed);
    for (let cut = 0; cut < cutCount; cut++) await cutNext(prng.pick(points));
    await sale.hasSold(20);
    await expectNothingLost();
    expect(unknownOutcomes()).toBeGreaterThan(0);
    // What settles an unknown outcome is cut as well: then nobody knows, for a while.
    expect([...sale.setbacks.unavailable.keys()]).toEqual(['store-unavailable']);
  });
});
