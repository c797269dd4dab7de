import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MariaDb, startMariaDb } from '../../scripts/servers/mariadb.ts';
import { LedgerUnavailable } from '../../src/actors/runtime/ledger.ts';
import type { MySqlLedger } from '../../src/ledger/mysql/mysql-ledger.ts';
import { pointsCharge, pointsOrder, user } from './ledger-orders.ts';
import { answered, expectSound, trade } from './ledger-trade.ts';
import { mysqlAt } from './mysql-connection.ts';
import { openLedgerAt } from './mysql-ledger-harness.ts';

/** A server that dies, hangs or refuses; one of our own, because others rely on the shared one. */
describe('the ledger in MySQL, when its server is lost', () => {
  let server: MariaDb;
  let url: string;
  let ledger: MySqlLedger;

  beforeAll(async () => {
    server = await startMariaDb();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    url = await server.createDatabase();
    ledger = await openLedgerAt(url, { lanes: 4, mysql: { ...mysqlAt(url), statementLimitMs: 1_000 } });
  });
  afterEach(async () => {
    await ledger.close();
    await server.dropDatabase(url);
  });

  it('killed under load and started again: nothing is lost, nothing is done twice', async () => {
    let rounds = 0;
    let isOver = false;
    const trading = (async () => {
      for (; !isOver; rounds++) await trade([ledger], rounds);
    })();
    for (let kill = 0; kill < 4; kill++) {
      await sleep(150 + 90 * kill);
      await server.kill9();
      await server.restart();
    }
    await sleep(200);
    isOver = true;
    await trading;
    await expectSound(ledger, rounds);
  });

  it('closed by us: it is told, and has no reason to complain of lost connections', async () => {
    const root = await createConnection(server.rootUrl);
    const complaints = async () => {
      const [rows] = await root.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Aborted_clients'");
      return rows[0]?.['Value'];
    };
    const before = await complaints();
    const closed = await openLedgerAt(url, { lanes: 4 });
    for (const payer of ['ann', 'bob', 'cem', 'dan', 'eva', 'fay']) {
      await closed.charge(pointsCharge(payer, 10, 'first', 1000));
    }
    expect(await closed.balanceOf(user('ann'))).toBe(10);
    await closed.close();
    // It counts those that it finds lost a moment later.
    await sleep(100);
    expect(await complaints()).toBe(before);
    await root.end();
  });

  it('hanging: calls are given up in time, and go well when it goes on', async () => {
    await ledger.charge(pointsCharge('ann', 500, 'first', 1000));
    server.suspend();
    try {
      const startedMs = performance.now();
      await Promise.all([
        expect(ledger.payByPoints(pointsOrder(1, 'ann', 200), 2000)).rejects.toThrow(LedgerUnavailable),
        expect(ledger.balanceOf(user('ann'))).rejects.toThrow(LedgerUnavailable),
      ]);
      expect(performance.now() - startedMs).toBeLessThan(10_000);
      expect(ledger.isFailing).toBe(true);
    } finally {
      server.resume();
    }
    const order = pointsOrder(1, 'ann', 200);
    expect(await answered(() => ledger.payByPoints(order, 2000))).toMatchObject({
      status: 'APPROVED',
      balance: 300,
    });
    expect(await answered(() => ledger.balanceOf(user('ann')))).toBe(300);
  });

  it('read-only, as after a failover: calls are unavailable until a server takes them', async () => {
    await ledger.charge(pointsCharge('ann', 500, 'first', 1000));
    const root = await createConnection(server.rootUrl);
    await root.query('SET GLOBAL read_only = 1');
    const charged = ledger.charge(pointsCharge('ann', 20, 'second', 1000));
    await expect(charged).rejects.toThrow(LedgerUnavailable);
    await expect(charged).rejects.toThrow('read-only');
    expect(await ledger.balanceOf(user('ann'))).toBe(500);
    await root.query('SET GLOBAL read_only = 0');
    await root.end();
    expect(await ledger.charge(pointsCharge('ann', 20, 'second', 1000))).toMatchObject({ balance: 520 });
  });

  it('with no connection to give: calls wait, and go well when there is one', async () => {
    await ledger.charge(pointsCharge('ann', 500, 'first', 1000));
    const root = await createConnection(server.rootUrl);
    await root.query('SET GLOBAL max_connections = 10');
    const others: Connection[] = [];
    const takeAll = async () => {
      for (;;) others.push(await createConnection(url));
    };
    await expect(takeAll()).rejects.toThrow('Too many connections');
    // The ledger's own are lost, and others take their places.
    const [rows] = await root.query<RowDataPacket[]>(
      "SELECT id FROM information_schema.processlist WHERE user = 'usher'",
    );
    const own = rows.filter(({ id }) => !others.some(({ threadId }) => threadId === id));
    expect(own.length).toBeGreaterThan(0);
    for (const { id } of own) await root.query(`KILL ${id}`);
    await expect(takeAll()).rejects.toThrow('Too many connections');

    const charged = ledger.charge(pointsCharge('ann', 20, 'second', 1000));
    await sleep(200);
    for (const other of others) other.destroy();
    expect(await charged).toMatchObject({ balance: 520 });
    await root.query('SET GLOBAL max_connections = 151');
    await root.end();
  });
});
