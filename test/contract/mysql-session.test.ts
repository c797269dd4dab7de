import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { onFreePorts } from '../../scripts/servers/free-port.ts';
import { MysqlCuttingProxy } from '../../scripts/servers/mysql-cutting-proxy.ts';
import { openNamedSession } from '../../src/mysql/named-session.ts';
import { CommitFault, MySqlSession, type SessionOptions } from '../../src/mysql/session.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { mysqlOptions } from './mysql-harness.ts';
import { outcomeOf } from './mysql-store-stage.ts';

describe('a session of MySQL', () => {
  let proxy: MysqlCuttingProxy;
  let slow: [statement: string, durationMs: number][];
  let sessions: MySqlSession[];

  beforeEach(async () => {
    proxy = await MysqlCuttingProxy.start(sharedMariaDb().url);
    slow = [];
    sessions = [];
  });
  afterEach(async () => {
    proxy.hang(false);
    for (const session of sessions) session.destroy();
    await proxy.stop();
  });

  const options = (changes: Partial<SessionOptions> = {}): SessionOptions => ({
    ...mysqlOptions(proxy.url),
    statementLimitMs: 2_000,
    observer: { onSlowStatement: (statement, durationMs) => slow.push([statement, durationMs]) },
    ...changes,
  });

  async function open(changes: Partial<SessionOptions> = {}): Promise<MySqlSession> {
    const session = await MySqlSession.open(options(changes));
    sessions.push(session);
    return session;
  }

  it('tells of a slow statement by its text, and never of values', async () => {
    const session = await open({ slowStatementMs: 100 });
    await session.rows('SELECT ?, SLEEP(?)', ['a secret', 0.2]);
    await session.raw('a text with values in it', "SELECT 'a secret', SLEEP(0.2)");
    await session.rows('SELECT ?', ['a secret']);
    expect(slow.map(([statement]) => statement)).toEqual(['SELECT ?, SLEEP(?)', 'a text with values in it']);
    for (const [, durationMs] of slow) expect(durationMs).toBeGreaterThan(150);
  });

  it('says which statement failed, and nothing of its values', async () => {
    const session = await open();
    const failed = await outcomeOf(session.rows('SELECT * FROM missing WHERE name = ?', ['a secret']));
    expect(failed.message).toMatch(/missing' doesn't exist \[SELECT \* FROM missing WHERE name = \?\]/);
    expect(failed.message).not.toContain('a secret');
    expect(session.isOpen).toBe(true);
  });

  it('is closed when the server has ended it for being idle, without a word to anybody', async () => {
    const session = await open();
    await session.change('SET SESSION wait_timeout = 1');
    await vi.waitFor(() => expect(session.isOpen).toBe(false), 3_000);
    expect(await outcomeOf(session.rows('SELECT 1'))).toMatchObject({
      said: 'MySqlFault',
      message: 'the connection to MySQL is closed',
    });
  });

  it('ends at a statement that passes its limit, and so do those that wait behind it', async () => {
    const session = await open({ statementLimitMs: 300 });
    const statements = [session.rows('SELECT SLEEP(5)'), session.rows('SELECT 1'), session.rows('SELECT 2')];
    const outcomes = await Promise.all(statements.map(outcomeOf));
    expect(outcomes[0]!.message).toBe('MySQL did not answer within 300 ms [SELECT SLEEP(5)]');
    for (const { said, tookMs } of outcomes) {
      expect(said).toBe('MySqlFault');
      expect(tookMs).toBeLessThan(1_500);
    }
    expect(session.isOpen).toBe(false);
  });

  it('answers everybody at once when it is given up', async () => {
    const session = await open();
    const waiting = [session.rows('SELECT SLEEP(5)'), session.change('DO 1')].map(outcomeOf);
    session.destroy();
    for (const { said, tookMs } of await Promise.all(waiting)) {
      expect(said).toBe('MySqlFault');
      expect(tookMs).toBeLessThan(1_500);
    }
  });

  it('closes its socket though nothing comes back from the server', async () => {
    const session = await open();
    proxy.hang(true);
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = sockets();
    session.destroy();
    // The ends of the proxy stay: it passes nothing on.
    await vi.waitFor(() => expect(sockets()).toBe(before - 1));
  });

  it('ends within a second, whatever the server says', async () => {
    const session = await open();
    proxy.hang(true);
    const ended = await outcomeOf(session.end());
    expect(ended.tookMs).toBeLessThan(3_000);
    expect(session.isOpen).toBe(false);
  });

  describe('a transaction', () => {
    it('that throws is rolled back, and the session goes on', async () => {
      const session = await open();
      await session.change('CREATE TEMPORARY TABLE t (id INT) ENGINE = InnoDB');
      const failed = session.transaction(async () => {
        await session.change('INSERT INTO t VALUES (1)');
        throw new Error('no');
      });
      await expect(failed).rejects.toThrow('no');
      expect(await session.rows('SELECT * FROM t')).toEqual([]);
      await session.transaction(() => session.change('INSERT INTO t VALUES (2)'));
      expect(await session.rows('SELECT * FROM t')).toEqual([[2]]);
    });

    it.each(['before-commit', 'before-answer'] as const)(
      'whose COMMIT is cut %s is a CommitFault',
      async (point) => {
        const session = await open();
        proxy.cutAtNextCommit(point);
        await expect(session.transaction(() => session.change('DO 1'))).rejects.toThrow(CommitFault);
        expect(session.isOpen).toBe(false);
      },
    );
  });

  describe('with a name', () => {
    const named = async (holder: string) => {
      const session = await openNamedSession(options(), holder, 'commit');
      sessions.push(session);
      return session;
    };

    it('ends the one that had it, and what that one had open', async () => {
      const first = await named('one');
      const second = await named('one');
      await vi.waitFor(() => expect(first.isOpen).toBe(false));
      expect(second.isOpen).toBe(true);
      const other = await named('two');
      expect([second.isOpen, other.isOpen]).toEqual([true, true]);
    });

    it('is had by the last of many that want it at once', async () => {
      const opened = await Promise.all(Array.from({ length: 5 }, () => outcomeOf(named('many'))));
      for (const { said, message } of opened) {
        if (said === 'MySqlFault') expect(message).toMatch(/stays open|ended the connection|is closed/);
      }
      await sleep(100);
      expect(sessions.filter(({ isOpen }) => isOpen).length).toBeLessThanOrEqual(1);
      expect(await outcomeOf(named('many'))).toMatchObject({ message: '' });
    });
  });
});

describe.concurrent('opening a session of MySQL', () => {
  it.each([
    ['nothing', false],
    ['hello, and then nothing', true],
  ])('is not waited for when a server says %s', async (_, saysHello) => {
    const hello = saysHello ? await greetingOf(sharedMariaDb().url) : '';
    const { silent, port } = await onFreePorts(1, async ([port = 0]) => ({
      silent: createServer((socket) => socket.on('error', () => {}).write(hello)).listen(port, '127.0.0.1'),
      port,
    }));
    const url = new URL(sharedMariaDb().url);
    url.port = `${port}`;
    const observer = { onSlowStatement: () => {} };
    const opening = await outcomeOf(MySqlSession.open({ ...mysqlOptions(url.href), observer }));
    expect(opening).toMatchObject({ said: 'MySqlFault', message: expect.stringMatching(/ETIMEDOUT/) });
    expect(opening.tookMs).toBeLessThan(6_000);
    silent.close();
  });

  async function greetingOf(url: string): Promise<Buffer> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const [greeting] = await once(socket, 'data');
    socket.destroy();
    return greeting;
  }
});
