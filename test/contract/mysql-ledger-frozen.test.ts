import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MySqlLedger } from '../../src/ledger/mysql/mysql-ledger.ts';
import { endNamedSessions } from '../../src/mysql/named-session.ts';
import { MySqlSession } from '../../src/mysql/session.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { pointsCharge, user } from './ledger-orders.ts';
import { mysqlAt } from './mysql-connection.ts';
import { openLedgerAt } from './mysql-ledger-harness.ts';
import { TestProcess } from './processes/child-process.ts';

/** A process that is stopped (SIGSTOP) in the middle of a batch, and holds the accounts of its users. */
describe('the ledger in MySQL, beside one that is frozen', () => {
  let url: string;
  let holder: string;
  let frozen: TestProcess;
  let ledgers: MySqlLedger[];
  let failedBatches: number;

  const open = async (ownHolder = randomUUID() as string) => {
    const observer = {
      onBatch: (_: number, __: number, outcome: string) => {
        if (outcome === 'failed') failedBatches += 1;
      },
      onFault: () => {},
    };
    const ledger = await openLedgerAt(url, { lanes: 1, holder: ownHolder, observer });
    ledgers.push(ledger);
    return ledger;
  };
  const charge = (ledger: MySqlLedger, amount: number, key: string) =>
    ledger.charge(pointsCharge('ann', amount, key, 1000));

  beforeEach(async () => {
    url = await sharedMariaDb().createDatabase();
    holder = `frozen/${randomUUID()}`;
    ledgers = [];
    failedBatches = 0;
  });
  afterEach(async () => {
    await frozen.kill();
    for (const ledger of ledgers) await ledger.close();
    await sharedMariaDb().dropDatabase(url);
  });

  async function freeze(howLong: 'as-usual' | 'for-ever'): Promise<void> {
    frozen = new TestProcess('freeze-in-a-batch.ts', url, holder, 'ann', howLong);
    expect(await frozen.line()).toBe('holds the account');
  }

  /** It goes on, and what it had decided does not count any more. */
  async function thaw(ledger: MySqlLedger, balance: number): Promise<void> {
    frozen.child.kill('SIGCONT');
    expect(await frozen.line()).toBe('has failed');
    expect(await ledger.balanceOf(user('ann'))).toBe(balance);
    expect((await ledger.listEntries({ userId: user('ann'), limit: 10 })).entries).toHaveLength(2);
  }

  it('goes on when the server has ended what the other holds, and not one batch fails', async () => {
    const ledger = await open();
    await charge(ledger, 500, 'first');
    await freeze('as-usual');
    expect(await charge(ledger, 20, 'second')).toMatchObject({ balance: 520 });
    expect(failedBatches).toBe(0);
    await thaw(ledger, 520);
  });

  it('goes on at once when it takes over from it by its name', async () => {
    const ledger = await open();
    await charge(ledger, 500, 'first');
    await freeze('for-ever');
    const waiting = charge(ledger, 20, 'second');
    const session = await MySqlSession.open({ ...mysqlAt(url), observer: { onSlowStatement: () => {} } });
    await endNamedSessions(session, holder);
    await session.end();
    expect(await waiting).toMatchObject({ balance: 520 });
    expect(failedBatches).toBe(0);
    await thaw(ledger, 520);
  });

  it('goes on at once when it is the same run of a process, with a new thread', async () => {
    const before = await open();
    await charge(before, 500, 'first');
    await freeze('for-ever');
    const ledger = await open(holder);
    expect(await charge(ledger, 20, 'second')).toMatchObject({ balance: 520 });
    expect(failedBatches).toBe(0);
    await thaw(ledger, 520);
  });
});
