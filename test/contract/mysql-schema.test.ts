import { createConnection } from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrateSchema, type Schema } from '../../src/mysql/schema.ts';
import { MySqlSession } from '../../src/mysql/session.ts';
import { storeSchema } from '../../src/persistence/mysql/store-schema.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { mysqlOptions } from './mysql-harness.ts';
import { outcomeOf, StoreRun } from './mysql-store-stage.ts';
import { ScheduleJournal } from './schedule-journal.ts';

describe('the schema in MySQL', () => {
  let url: string;
  let sessions: MySqlSession[];

  beforeEach(async () => {
    url = await sharedMariaDb().createDatabase();
    sessions = [];
  });
  afterEach(async () => {
    await Promise.all(sessions.map((session) => session.end()));
    await sharedMariaDb().dropDatabase(url);
  });

  async function open(): Promise<MySqlSession> {
    const session = await MySqlSession.open({
      ...mysqlOptions(url),
      observer: { onSlowStatement: () => {} },
    });
    sessions.push(session);
    return session;
  }

  /** Its steps can be counted: each adds a row. */
  const counted = (...contracting: boolean[]): Schema => ({
    part: 'counted',
    steps: contracting.map((contracts, step) => ({
      statements: [
        'CREATE TABLE IF NOT EXISTS step (id INT AUTO_INCREMENT PRIMARY KEY, step INT NOT NULL) ENGINE = InnoDB',
        `INSERT INTO step (step) VALUES (${step + 1})`,
      ],
      ...(contracts && { contracts: true as const }),
    })),
  });
  const stepsTaken = async (session: MySqlSession) =>
    (await session.rows<[number]>('SELECT step FROM step ORDER BY id')).flat();
  const versions = (session: MySqlSession) => session.rows('SELECT * FROM schema_version');

  it('takes each step once, whoever comes, and those that a newer release brings', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, open));
    const schema = counted(false, false, false);
    expect(await Promise.all(all.map((session) => migrateSchema(session, schema)))).toEqual(Array(6).fill(3));
    expect(await stepsTaken(all[0]!)).toEqual([1, 2, 3]);
    expect(await migrateSchema(all[0]!, counted(false, false, false, false))).toBe(4);
    expect(await stepsTaken(all[0]!)).toEqual([1, 2, 3, 4]);
    expect(await versions(all[0]!)).toEqual([['counted', 4, 0]]);
  });

  it('two stores that start at once on an empty database both open', async () => {
    const runs = await Promise.all(Array.from({ length: 3 }, () => StoreRun.open(url)));
    expect(await Promise.all(runs.map(({ store }) => store.opened()))).toEqual(
      Array(3).fill(storeSchema.steps.length),
    );
    await Promise.all(runs.map(({ store }) => store.close()));
  });

  it.each([1, 3, 7, 12])(
    'a first step that was cut off after %i statements is completed',
    async (cutAfter) => {
      const { statements } = storeSchema.steps[0]!;
      const session = await open();
      for (const statement of statements.slice(0, cutAfter)) await session.change(statement);
      const run = await StoreRun.open(url);
      await run.claim(1);
      const journal = new ScheduleJournal(1, 1);
      journal.hold();
      expect(await run.commitNew(journal)).toBe('committed');
      await run.store.projectAll();
      expect(await run.store.createVenue({ name: 'hall', sections: [] })).toBe(1);
      await run.store.close();
    },
  );

  it('takes a step again that failed in its middle, and none before it', async () => {
    const session = await open();
    const failing = counted(false, false);
    const broken: Schema = {
      ...failing,
      steps: [failing.steps[0]!, { statements: [failing.steps[1]!.statements[1]!, 'SELECT nothing'] }],
    };
    await expect(migrateSchema(session, broken)).rejects.toThrow(/Unknown column 'nothing'/);
    expect(await versions(session)).toEqual([['counted', 1, 0]]);
    // The lock is free.
    expect(await migrateSchema(await open(), failing)).toBe(2);
    expect(await stepsTaken(session)).toEqual([1, 2, 2]);
  });

  it('a database that a newer release has only added to is worked with, and left as it is', async () => {
    const run = await StoreRun.open(url);
    await run.store.close();
    const session = await open();
    await session.change("UPDATE schema_version SET version = 9 WHERE part = 'store'");
    const older = await StoreRun.open(url);
    expect(await older.store.opened()).toBe(9);
    await older.store.close();
    expect(await versions(session)).toEqual([['store', 9, 0]]);
  });

  it('a database that a newer release has taken from is refused, with what to do', async () => {
    const run = await StoreRun.open(url);
    await run.store.close();
    const session = await open();
    await session.change(
      "UPDATE schema_version SET version = 9, oldest_working_version = 8 WHERE part = 'store'",
    );
    await expect(StoreRun.open(url)).rejects.toThrow(
      /needs an Usher that knows version 8 of the store schema; this one knows \d+\. Run the newer release/,
    );
  });

  it('refuses older releases from before the first statement that takes something away', async () => {
    const session = await open();
    await migrateSchema(session, counted(false));
    const taking = counted(false, true);
    const cutOff: Schema = {
      ...taking,
      steps: [taking.steps[0]!, { ...taking.steps[1]!, statements: ['SELECT nothing'] }],
    };
    await expect(migrateSchema(session, cutOff)).rejects.toThrow(/Unknown column/);
    await expect(migrateSchema(session, counted(false))).rejects.toThrow(
      /knows version 2 of the counted schema/,
    );
    expect(await migrateSchema(session, taking)).toBe(2);
    expect(await versions(session)).toEqual([['counted', 2, 2]]);
  });

  it('waits for another process that changes it, and not for ever', async () => {
    const name = new URL(url).pathname.slice(1);
    const other = await createConnection(url);
    await other.query(`DO GET_LOCK(CONCAT('usher.schema.', MD5('${name}')), 0)`);
    const waiting = outcomeOf(StoreRun.open(url, { primary: { statementLimitMs: 500 } }));
    const early = await Promise.race([
      waiting,
      new Promise((resolve) => setTimeout(resolve, 1_500, 'waits')),
    ]);
    expect(early).toBe('waits');
    other.destroy();
    const run = await waiting;
    expect(run.message).toBe('');
    await (run.said as StoreRun).store.close();
  });

  it('of a database whose name has 64 characters', async () => {
    const long = new URL(url);
    long.pathname = `/usher_${'n'.repeat(58)}`;
    const shell = await createConnection(url);
    await shell.query(`CREATE DATABASE ${long.pathname.slice(1)}`);
    const run = await StoreRun.open(long.href);
    await run.store.close();
    await shell.query(`DROP DATABASE ${long.pathname.slice(1)}`);
    shell.destroy();
  });
});
