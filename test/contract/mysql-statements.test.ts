import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MariaDb, startMariaDb } from '../../scripts/servers/mariadb.ts';
import type { ReservationNumber, ScheduleId, UserId } from '../../src/actors/allocator/ids.ts';
import type { ReservationQuery } from '../../src/actors/runtime/ports.ts';
import { type SqlValue, sqlRows } from '../../src/mysql/sql-values.ts';
import type { StoreNotice } from '../../src/persistence/worker/store-procedures.ts';
import { rowsOf, StoreRun } from './mysql-store-stage.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { batchOf, everything, scheduleIds, shardIds } from './store-harness.ts';

const schedules = 2_000;
const schedulesWithRows = 100;
const rowsPerSchedule = 120;
const users = 40;

/**
 * Read whole by design: catalogues that are small beside what is sold, and are kept in memory from then on; shards,
 * of which there are some hundreds, at the start. `<…>`: what the server makes on its way.
 */
const mayBeScanned =
  /^(venue|v|performance|schedule|s|creation_mark|installation|catalog_counter|schema_version|engines|shard|<.*>)$/;

interface Step {
  readonly statement: string;
  readonly table: string | null;
  /** How its rows are found: ALL reads the table, index reads an index from end to end. */
  readonly type: string | null;
  readonly key: string | null;
  readonly extra: string;
}

/**
 * Every statement that the store sends, as the server heard it, explained on tables that are filled: none may read
 * what it doesn't need, however large the tables are, nor put rows in order that an index has in order.
 */
describe('the statements of the MySQL store', () => {
  let server: MariaDb;
  let root: Connection;
  let shell: Connection;
  let steps: readonly Step[];
  /** Of a store that is told to take every statement for a slow one. */
  let slow: readonly StoreNotice[];
  /** Some of what its statements were about. */
  let values: readonly string[];

  beforeAll(async () => {
    server = await startMariaDb();
    root = await createConnection(server.rootUrl);
    shell = await createConnection(server.url);
    await (await StoreRun.open(server.url)).store.close();
    await fill();
    await root.query("SET GLOBAL log_output = 'TABLE'");
    await root.query('SET GLOBAL general_log = 1');
    await useEverything();
    await root.query('SET GLOBAL general_log = 0');
    steps = await explained();
  });
  afterAll(async () => {
    shell?.destroy();
    root?.destroy();
    await server?.stop();
  });

  async function insert(table: string, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    for (let first = 0; first < rows.length; first += 5_000) {
      await shell.query(`INSERT INTO ${table} VALUES ${sqlRows(rows.slice(first, first + 5_000))}`);
    }
  }

  /** In the order of the columns of store-schema.ts, but for the generated one. */
  async function fill(): Promise<void> {
    const ids = Array.from({ length: schedules }, (_, i) => i + 1);
    const withRows = ids.slice(0, schedulesWithRows);
    const numbers = Array.from({ length: rowsPerSchedule }, (_, i) => i + 1);
    const each = <T>(row: (schedule: number, number: number) => T) =>
      withRows.flatMap((schedule) => numbers.map((number) => row(schedule, number)));
    await insert(
      'shard',
      Array.from({ length: 256 }, (_, shard) => [shard, 1, 'before', 1]),
    );
    await insert(
      'event_log',
      each((schedule, seq) => [schedule, seq, schedule % 256, seq, 'held', '{"number":1}']),
    );
    await insert(
      'schedule_projection',
      ids.map((id) => [id, rowsPerSchedule, 1, rowsPerSchedule, 0, id % 50 === 0 ? 1 : 0]),
    );
    await insert(
      'schedule_publication',
      ids.map((id) => [id, rowsPerSchedule]),
    );
    await insert(
      'reservation (schedule_id, number, user_id, status, seats, total_minor, held_at_ms, expires_at_ms, ended_at_ms, seq, payment_seq, paid_at_ms)',
      each((schedule, number) => [
        schedule,
        number,
        `user-${(schedule * 7 + number) % users}`,
        number % 5,
        `${number}`,
        1,
        number,
        2,
        number % 3 === 0 ? 0 : 3,
        number,
        0,
        0,
      ]),
    );
    await insert(
      'seat_reservation',
      each((schedule, number) => [schedule, number, number, number % 2 ? 1 : null, number % 2 ? 0 : 1]),
    );
    await insert(
      'mark',
      each((schedule, seq) => [schedule, seq, seq, 'ann', `key-${seq}`, 1, seq, 0, 1]),
    );
    await insert(
      'open_payment',
      each((schedule, number) => [schedule, number, 0, 1, null, null]),
    );
    await insert('venue', [[1, 'hall', rowsPerSchedule, '', 'x']]);
    await insert(
      'seat',
      numbers.flatMap((number) =>
        withRows.map((row) => [1, row * 1000 + number, `${row}-${number}`, 's', `${row}`, `${number}`, 'c']),
      ),
    );
    await insert('performance', [[1, 'show', 1, 'EUR', '[]', null, 0, 'x']]);
    await insert(
      'schedule',
      ids.map((id) => [id, 1, id, null, 'x']),
    );
    await shell.query(`UPDATE catalog_counter SET last_id = ${schedules} WHERE name = 'schedule'`);
    await insert(
      'cluster_move',
      ids.map((id) => [id, id % 256, 'node-1', 'node-2', id, 2, null, '', 1, 2]),
    );
    await insert(
      'operator_action',
      ids.map((id) => [id, 1, 'ann', 'drain node-1', '']),
    );
    for (const [table] of await rowsOf(shell, 'SHOW TABLES')) await shell.query(`ANALYZE TABLE ${table}`);
  }

  async function useEverything(): Promise<void> {
    const run = await StoreRun.open(server.url, { primary: { slowStatementMs: 0 } });
    const { store, holder, notices } = run;
    slow = notices;
    values = [holder, 'ann', 'user-7', 'hold', 'pay'];
    const all = await store.claimShards(
      holder,
      shardIds(...Array.from({ length: 200 }, (_, shard) => shard)),
    );
    await store.resolveCommit(batchOf(9, all, []));
    const epochs = (await store.listShards()).map(({ shardId, epoch }) => ({ shardId, epoch }));
    const given = epochs.slice(150).concat({ shardId: shardIds(999)[0]!, epoch: 0 });
    await store.transferShards(given, 'node-2', 'given');
    const back = given.map(({ shardId, epoch }) => ({ shardId, epoch: epoch + 1 }));
    await store.transferShards(back, holder, 'taken');
    await store.readUnpublished(100);
    await store.followShards(shardIds(5, 6, 7));
    await store.readUnpublished(100);
    const shards = await store.renewShards(holder, shardIds(1, 2, 3));
    run.adopt(shards);
    const journals = [new ScheduleJournal(5_001, 1), new ScheduleJournal(5_002, 2)];
    for (const journal of journals) {
      const first = journal.hold({ seats: [1], mark: { key: 'hold', fingerprint: 1 } });
      const second = journal.hold({ seats: [2] });
      journal.block(3, 4);
      await run.commitNew(journal);
      await store.projectAll();
      journal.nowMs += 30 * 60 * 60 * 1000;
      journal.cancel(first);
      const payment = journal.pay(second, { mark: { key: 'pay', fingerprint: 1 } });
      await run.commitNew(journal);
      await store.projectAll();
      journal.failPayment(second, payment, { expiresAtMs: 1 });
      journal.unblock(3);
      await run.commitNew(journal);
      await store.projectAll();
    }
    await store.resolveCommit(batchOf(9, shards, []));
    await store.loadSchedule(scheduleIds(1)[0]!, { endedSinceMs: 50, markedSinceMs: 50 });
    await store.loadSchedule(scheduleIds(5_001)[0]!, everything);
    await store.loadTail(scheduleIds(1)[0]!, 50);
    await store.schedulesWithOpenWork();
    const { rows } = await store.readUnpublished(100);
    await store.markPublished(rows.map(({ scheduleId, seq }) => ({ scheduleId, seq })));
    const trim = { afterScheduleId: 5, beforeMs: 100, rowsMax: 10 };
    await store.trimJournal({ ...trim, isPublishing: true });
    await store.trimJournal({ ...trim, isPublishing: false });
    for (const query of queries) await store.listReservations(query);
    await store.findReservation(7 as ScheduleId, 3 as ReservationNumber);
    const mark = { key: 'key' as never, fingerprint: 1 };
    const venueId = await store.createVenue({ name: 'other', sections: [] }, mark).catch(() => 0);
    expect(venueId).toBe(0); // the counter begins where the tables are filled
    await store.listCreationMarks();
    await store.listVenues(0);
    await store.listPerformances(0);
    await store.listSchedules(0);
    await store.listVenues(1);
    await store.listPerformances(1);
    await store.listSchedules(schedules - 5);
    await store.findCreationMark(mark.key);
    await useRecords(run);
    await store.close();
    // One that begins with the journal of somebody else's: out of the database.
    const next = await StoreRun.open(server.url);
    await next.claim(1, 2);
    const journal = journals[0]!;
    await next.store.readUnpublished(1_000);
    journal.hold({ seats: [9] });
    await next.commitNew(journal);
    await next.store.projectAll();
    await next.store.close();
  }

  async function useRecords({ store }: StoreRun): Promise<void> {
    const records = store.clusterRecords();
    const action = { atMs: 5, who: 'ann', what: 'drain node-1', why: '' };
    const plans = shardIds(1, 2, 3).map((shardId) => ({
      shardId,
      fromNodeId: 'node-1',
      toNodeId: 'node-2',
      epoch: 1,
    }));
    const [first] = await records.planMoves(plans, action);
    await records.planMoves(plans, action);
    await records.listOpenMoves();
    await records.findMove(first!.moveId);
    await records.updateMove(first!.moveId, 'running', '', 5);
    await records.updateMove(first!.moveId, 'failed', 'why', 6);
    await records.appendAction(action);
    await records.listActions(20);
  }

  const user = { userId: 'user-7' as UserId, limit: 20 };
  const after = { heldAtMs: 60, scheduleId: 50 as ScheduleId, number: 60 as ReservationNumber };
  const queries: readonly ReservationQuery[] = [{}, { status: 'PAID' as const }].flatMap((status) =>
    [{}, { scheduleId: 7 as ScheduleId }].flatMap((schedule) =>
      [{}, { after }].map((page) => ({ ...user, ...status, ...schedule, ...page })),
    ),
  );

  async function explained(): Promise<Step[]> {
    const packets = await rowsOf(
      root,
      "SELECT CAST(argument AS CHAR) FROM mysql.general_log WHERE command_type = 'Query' AND user_host LIKE 'usher%'",
    );
    const statements = new Map<string, string>();
    for (const [packet] of packets) {
      for (const statement of statementsIn(`${packet}`)) {
        const shape = statement.replace(/'[^']*'|\b\d+\b/g, '?').replace(/\(\?(?:,\s*\?)*\)/g, '(?)');
        // An INSERT of values looks for nothing, and is explained as if it read its table.
        if (/^(SELECT|UPDATE|DELETE)/.test(statement)) statements.set(shape, statement);
      }
    }
    const found: Step[] = [];
    for (const statement of statements.values()) {
      const [rows] = await shell.query<RowDataPacket[]>(`EXPLAIN ${statement}`);
      for (const { table, type, key, Extra } of rows)
        found.push({ statement, table, type, key, extra: Extra ?? '' });
    }
    return found;
  }

  /** Of a packet that has more than one; texts in quotes may have anything in them. */
  const statementsIn = (packet: string): string[] =>
    (packet.match(/(?:'(?:[^'\\]|\\.)*'|[^';])+/gs) ?? []).map((statement) => statement.trim());

  const told = (chosen: readonly Step[]): string[] =>
    chosen.map(
      ({ statement, table, type, key, extra }) =>
        `${table}: ${type} by ${key} (${extra}): ${statement.replace(/\s+/g, ' ').slice(0, 200)}`,
    );

  const matching = (pattern: RegExp) => steps.filter(({ statement }) => pattern.test(statement));

  it('were all heard', () => {
    const kinds = [
      /^UPDATE shard FORCE INDEX \(PRIMARY\) SET last_batch/,
      /^SELECT schedule_id, projected_seq.* FOR UPDATE/s,
      /^SELECT number, user_id, seats/,
      /^UPDATE seat_reservation/,
      /^DELETE FROM seat_reservation/,
      /^DELETE FROM open_payment/,
      /^DELETE FROM mark WHERE schedule_id = \d+ AND seq IN/,
      /^DELETE FROM mark WHERE schedule_id = \d+ AND seq <=/,
      /^SELECT log_end/,
      /^SELECT schedule.schedule_id/,
      /^SELECT shard_id FROM shard WHERE owner/,
      /^SELECT shard_id, epoch, owner FROM shard ORDER BY shard_id/,
      /^SELECT shard_id, epoch, owner FROM shard FORCE INDEX \(PRIMARY\) .* FOR UPDATE/s,
      /^UPDATE shard FORCE INDEX \(PRIMARY\) SET epoch = epoch \+ 1, owner/,
      /^SELECT .* FROM creation_mark WHERE idempotency_key/,
      /^SELECT shard_id FROM cluster_move/,
      /^SELECT .* FROM cluster_move WHERE is_open = 1 ORDER BY move_id/s,
      /^SELECT .* FROM cluster_move WHERE move_id/s,
      /^UPDATE cluster_move/,
      /^SELECT .* FROM operator_action ORDER BY action_id DESC/,
      /^SELECT schedule_id FROM schedule_projection WHERE open_reservations/,
      /^SELECT seq, shard_id, at_ms, type, payload/,
      /^DELETE FROM event_log/,
      /^SELECT .* FROM reservation FORCE INDEX/s,
    ];
    expect(kinds.filter((kind) => matching(kind).length === 0)).toEqual([]);
    expect(steps.length).toBeGreaterThan(40);
  });

  it('are told without their values when they are slow', () => {
    const told = slow.flatMap((notice) => (notice.kind === 'slow-statement' ? [notice.statement] : []));
    expect(new Set(told).size).toBeGreaterThan(30);
    expect(told).toContainEqual(expect.stringContaining('WHERE user_id = ?'));
    const words = new RegExp(`'(${values.join('|')})'|${values[0]}|"`);
    expect(told.filter((statement) => words.test(statement))).toEqual([]);
  });

  it('read no table whole that grows', () => {
    const whole = steps.filter(({ table, type }) => type === 'ALL' && !mayBeScanned.test(table ?? ''));
    expect(told(whole)).toEqual([]);
  });

  it('read no index from end to end', () => {
    // But for the newest actions, which ends with as many as were asked for.
    const whole = steps.filter(
      ({ table, type, statement }) =>
        type === 'index' &&
        !mayBeScanned.test(table ?? '') &&
        !/FROM operator_action ORDER BY action_id DESC LIMIT \d+$/.test(statement),
    );
    expect(told(whole)).toEqual([]);
  });

  it('find the ends of the journal by jumping from schedule to schedule', () => {
    const ends = matching(/^SELECT log_end/).filter(({ table }) => table === 'event_log');
    expect(ends).toEqual([expect.objectContaining({ type: 'range', key: 'PRIMARY' })]);
    expect(ends[0]!.extra).toContain('Using index for group-by');
  });

  it('find the end of the journal of schedules that came with a shard by one look-up each', () => {
    const found = matching(/^SELECT schedule.schedule_id/);
    expect(found.map(({ table, type, key }) => [table, type, key])).toEqual([
      ['schedule', 'range', 'PRIMARY'],
      ['projection', 'eq_ref', 'PRIMARY'],
      ['publication', 'eq_ref', 'PRIMARY'],
      ['event_log', 'ref', 'PRIMARY'],
    ]);
  });

  it('look at shards that are transferred in the order of their key', () => {
    const locks = matching(/^SELECT shard_id, epoch, owner FROM shard FORCE INDEX/);
    expect(locks.length).toBeGreaterThan(0);
    for (const { type, key, extra } of locks) {
      expect([type, key]).toEqual(['range', 'PRIMARY']);
      expect(extra).not.toMatch(/filesort|temporary/);
    }
  });

  it('list reservations of a person in the order of one index, in all eight shapes', () => {
    const lists = matching(/FROM reservation FORCE INDEX/);
    expect(lists.length).toBe(8);
    for (const { key, type, extra } of lists) {
      expect(key).toBe('by_user_newest_first');
      expect(['ref', 'range']).toContain(type);
      expect(extra).not.toMatch(/filesort|temporary/);
    }
  });

  it('change shards by their key, however many of them', () => {
    const changes = matching(/^UPDATE shard/);
    expect(changes.length).toBeGreaterThan(2);
    for (const { type, key } of changes) expect([type, key]).toEqual(['range', 'PRIMARY']);
  });

  it('put nothing in order, and make no table on the way', () => {
    // But for the ends of the journal, a row a schedule, which nobody waits for.
    const sorted = steps.filter(
      ({ extra, statement }) => /filesort|temporary/.test(extra) && !statement.startsWith('SELECT log_end'),
    );
    expect(told(sorted.filter(({ table }) => !mayBeScanned.test(table ?? '')))).toEqual([]);
  });

  it.each([
    [
      'a seat by its public name',
      "SELECT seat_id FROM seat WHERE venue_id = 1 AND public_id = '7-7'",
      'by_public_id',
    ],
    [
      "a person's reservation by its id",
      "SELECT * FROM reservation WHERE user_id = 'user-7' AND reservation_id = '7-7'",
      'by_user',
    ],
    [
      'who holds a seat',
      'SELECT reservation_number FROM seat_reservation WHERE schedule_id = 7 AND seat_id = 7 AND live = 1',
      'one_live_holder',
    ],
    [
      'the seats of a reservation',
      'SELECT seat_id FROM seat_reservation WHERE schedule_id = 7 AND reservation_number = 7',
      'PRIMARY',
    ],
  ])('of people who look into the tables find %s by a key', async (_, sql, key) => {
    const [rows] = await shell.query<RowDataPacket[]>(`EXPLAIN ${sql}`);
    expect(rows).toEqual([expect.objectContaining({ key, rows: '1' })]);
  });
});
