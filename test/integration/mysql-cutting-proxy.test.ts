import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MysqlCuttingProxy } from '../../scripts/servers/mysql-cutting-proxy.ts';
import { MysqlStatements } from '../../scripts/servers/mysql-statements.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';

/** Longer than any answer takes, and short enough to wait for in vain. */
const patienceMs = 300;

describe('the proxy', () => {
  let databaseUrl: string;
  let proxy: MysqlCuttingProxy;
  /** By way of the proxy, and past it. */
  let client: Connection;
  let witness: Connection;

  beforeEach(async () => {
    databaseUrl = await sharedMariaDb().createDatabase();
    proxy = await MysqlCuttingProxy.start(databaseUrl);
    client = await open(proxy.url);
    witness = await open(databaseUrl);
    await witness.query('CREATE TABLE seat (id INT PRIMARY KEY, note MEDIUMTEXT) ENGINE=InnoDB');
  });
  afterEach(async () => {
    client?.destroy();
    witness?.destroy();
    await proxy?.stop();
    await sharedMariaDb().dropDatabase(databaseUrl);
  });

  async function open(url: string): Promise<Connection> {
    const connection = await createConnection(url);
    // A cut connection says so to whoever listens, and throws it at the process if nobody does.
    connection.on('error', () => undefined);
    return connection;
  }

  async function seats(): Promise<readonly number[]> {
    const [rows] = await witness.query<RowDataPacket[]>('SELECT id FROM seat ORDER BY id');
    return rows.map((row) => row['id']);
  }

  /** What became of a transaction with one row. */
  async function insert(connection: Connection, id: number): Promise<'committed' | 'lost'> {
    try {
      await connection.beginTransaction();
      await connection.query('INSERT INTO seat VALUES (?, NULL)', [id]);
      await connection.commit();
      return 'committed';
    } catch {
      return 'lost';
    }
  }

  /** A cut connection's transaction is rolled back when the server hears of its end, not sooner. */
  const serverHasEnded = (threadId: number) =>
    expect.poll(async () => {
      const [rows] = await witness.query<RowDataPacket[]>('SHOW PROCESSLIST');
      return rows.some((row) => row['Id'] === threadId);
    });

  test('passes on what both sides say, of any length', async () => {
    const note = 'ü'.repeat(3_000_000);
    await client.query('INSERT INTO seat VALUES (1, ?)', [note]);
    const [rows] = await client.query<RowDataPacket[]>('SELECT note FROM seat');
    expect(rows[0]?.['note'] === note).toBe(true);
    expect(await insert(client, 2)).toBe('committed');
    expect(await seats()).toEqual([1, 2]);
    expect([proxy.cuts, proxy.connections]).toEqual([0, 1]);
    await client.end();
    await expect.poll(() => proxy.connections).toBe(0);
  });

  test('cuts before the answer: committed, and the client does not hear of it', async () => {
    proxy.cutAtNextCommit('before-answer');
    expect(await insert(client, 1)).toBe('lost');
    expect(await seats()).toEqual([1]);
    expect([proxy.cuts, proxy.connections]).toEqual([1, 0]);
  });

  test('cuts before the commit: rolled back, and the client does not hear of it', async () => {
    const { threadId } = client;
    proxy.cutAtNextCommit('before-commit');
    expect(await insert(client, 1)).toBe('lost');
    await serverHasEnded(threadId).toBe(false);
    expect(await seats()).toEqual([]);
    expect([proxy.cuts, proxy.connections]).toEqual([1, 0]);
  });

  test('cuts one connection a time, whichever commits first', async () => {
    const other = await open(proxy.url);
    proxy.cutAtNextCommit('before-commit');
    expect(await insert(other, 1)).toBe('lost');
    expect(await insert(client, 2)).toBe('committed');
    expect(await seats()).toEqual([2]);
    proxy.cutAtNextCommit('before-answer');
    expect(await insert(client, 3)).toBe('lost');
    expect(await seats()).toEqual([2, 3]);
    expect(proxy.cuts).toBe(2);
  });

  test('cuts at another statement than COMMIT', async () => {
    proxy.cutAtNextCommit('before-answer', /^INSERT INTO seat VALUES \(7/);
    await client.query('INSERT INTO seat VALUES (6, NULL)');
    await expect(client.query('INSERT INTO seat VALUES (7, NULL)')).rejects.toThrow();
    expect(await seats()).toEqual([6, 7]);
  });

  test('delays answers, and no statement', async () => {
    proxy.delayAnswersMs = 1_000;
    const startedMs = performance.now();
    let isAnswered = false;
    const answered = client.query('INSERT INTO seat VALUES (1, NULL)').finally(() => {
      isAnswered = true;
    });
    await expect.poll(seats).toEqual([1]);
    expect(isAnswered).toBe(false);
    await answered;
    // A timer may be a millisecond early.
    expect(performance.now() - startedMs).toBeGreaterThan(998);
  });

  test('refuses new connections and keeps those that are open', async () => {
    await proxy.refuseConnections(true);
    await expect(createConnection(proxy.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await insert(client, 1)).toBe('committed');
    await proxy.refuseConnections(false);
    const other = await open(proxy.url);
    expect(await insert(other, 2)).toBe('committed');
    other.destroy();
  });

  test('hangs: nothing passes, no connection ends, and nothing is lost', async () => {
    proxy.hang(true);
    let isAnswered = false;
    const inserted = insert(client, 1).finally(() => {
      isAnswered = true;
    });
    const opened = open(proxy.url);
    await new Promise((resolve) => setTimeout(resolve, patienceMs));
    expect([isAnswered, await seats()]).toEqual([false, []]);
    expect(proxy.connections).toBe(2);
    proxy.hang(false);
    expect(await inserted).toBe('committed');
    expect(await insert(await opened, 2)).toBe('committed');
    (await opened).destroy();
  });

  test('cuts all connections at once, and takes new ones', async () => {
    proxy.cutAll();
    expect(await insert(client, 1)).toBe('lost');
    const other = await open(proxy.url);
    expect(await insert(other, 2)).toBe('committed');
    expect([proxy.cuts, proxy.connections]).toEqual([0, 1]);
    other.destroy();
  });

  test('ends its connections when its server is out of reach', async () => {
    const lost = await MysqlCuttingProxy.start('mysql://nobody@127.0.0.1:1/usher');
    await expect(createConnection(lost.url)).rejects.toThrow();
    await expect.poll(() => lost.connections).toBe(0);
    await lost.stop();
  });
});

describe('statements are found', () => {
  const packet = (sequence: number, payload: Buffer | string) => {
    const header = Buffer.alloc(4);
    header.writeUIntLE(payload.length, 0, 3);
    header[3] = sequence;
    return Buffer.concat([header, Buffer.from(payload)]);
  };
  const stream = Buffer.concat([
    packet(1, '\u0003COMMIT'),
    packet(0, '\u0003BEGIN'),
    packet(0, `\u0003${'x'.repeat(5_000)}`),
    packet(0, '\u0016COMMIT'),
    packet(0, ''),
    packet(0, '\u0003\u0000\u0001COMMIT'),
    packet(0, '\u0003COMMIT'),
  ]);

  test.each([1, 2, 3, 4, 5, 7, 1_000, stream.length])('in chunks of %i bytes', (chunkBytes) => {
    const statements = new MysqlStatements();
    const taken: Buffer[] = [];
    const found: string[] = [];
    for (let start = 0; start < stream.length; start += chunkBytes) {
      for (const { bytes, statement } of statements.take(stream.subarray(start, start + chunkBytes))) {
        taken.push(bytes);
        if (statement !== undefined) found.push(statement);
      }
    }
    expect(found).toEqual(['BEGIN', 'COMMIT', 'COMMIT']);
    expect(Buffer.concat(taken).equals(stream)).toBe(true);
  });

  test('a statement that is not complete is held back', () => {
    const statements = new MysqlStatements();
    const commit = packet(0, '\u0003COMMIT');
    expect([...statements.take(commit.subarray(0, -1))]).toEqual([]);
    expect([...statements.take(commit.subarray(-1))]).toEqual([{ bytes: commit, statement: 'COMMIT' }]);
  });
});
