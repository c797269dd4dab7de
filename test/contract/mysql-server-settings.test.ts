import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type MariaDb, startMariaDb } from '../../scripts/servers/mariadb.ts';
import { runCommand } from '../../scripts/servers/run-command.ts';
import { selfSignedCertificate } from '../../scripts/servers/self-signed-certificate.ts';
import type { MySqlTls } from '../../src/mysql/mysql-options.ts';
import { MySqlSession } from '../../src/mysql/session.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { mysqlOptions } from './mysql-harness.ts';
import { outcomeOf, rowsOf, StoreRun } from './mysql-store-stage.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { temporaryDirectory } from './sqlite-harness.ts';
import { everything } from './store-harness.ts';

/** What a start finds out: a server that may forget, that is no primary, or that is not the one it should be. */
describe('a MySQL server of whatever settings', () => {
  let server: MariaDb;
  let root: Connection;
  let ca: string;

  beforeAll(async () => {
    server = await startMariaDb({ tls: true });
    root = await createConnection(server.rootUrl);
    ca = readFileSync(server.caFile!, 'utf8');
  });
  afterAll(async () => {
    root?.destroy();
    await server?.stop();
  });

  const tls = (options: Partial<MySqlTls> = {}): MySqlTls => ({
    ca,
    cert: undefined,
    key: undefined,
    ...options,
  });

  /** Starts and stops; what it warned of. */
  async function warningsOf(url: string): Promise<string[]> {
    const { store, notices } = await StoreRun.open(url);
    await store.close();
    return notices.flatMap((notice) => (notice.kind === 'warning' ? [notice.message] : []));
  }

  describe('that may lose what it has answered', () => {
    interface Setting {
      readonly name: string;
      readonly value: string;
      readonly usual: string;
      readonly warning: RegExp | undefined;
    }

    const settings: readonly Setting[] = [
      {
        name: 'innodb_flush_log_at_trx_commit',
        value: '0',
        usual: '1',
        warning:
          /innodb_flush_log_at_trx_commit=0, not 1: a crash of the server may lose what was answered in the last second/,
      },
      {
        name: 'innodb_flush_log_at_trx_commit',
        value: '2',
        usual: '1',
        warning:
          /innodb_flush_log_at_trx_commit=2, not 1: a crash of the machine may lose what was answered in the last second/,
      },
      { name: 'innodb_flush_log_at_trx_commit', value: '3', usual: '1', warning: undefined },
      {
        name: 'sync_binlog',
        value: '0',
        usual: '1',
        warning: /sync_binlog=0, not 1: a crash of the machine may lose what was answered last/,
      },
      { name: 'sync_binlog', value: '1000', usual: '1', warning: /sync_binlog=1000, not 1/ },
      {
        name: 'max_allowed_packet',
        value: '1048576',
        usual: '16777216',
        warning: /max_allowed_packet=1048576, not 16777216: a large batch would be refused/,
      },
    ];

    it.each(settings)(
      '$name=$value: says what a crash could cost',
      async ({ name, value, usual, warning }) => {
        await root.query(`SET GLOBAL ${name} = ${value}`);
        try {
          const warnings = await warningsOf(server.url);
          if (warning === undefined) expect(warnings).toEqual([]);
          else expect(warnings).toEqual([expect.stringMatching(warning)]);
        } finally {
          await root.query(`SET GLOBAL ${name} = ${usual}`);
        }
      },
    );

    it('warns of nothing where nothing can be lost', async () => {
      expect(await warningsOf(server.url)).toEqual([]);
    });
  });

  it('whose binary log is of statements: refused, because every write would be', async () => {
    await root.query("SET GLOBAL binlog_format = 'STATEMENT'");
    await expect(StoreRun.open(server.url)).rejects.toThrow(/binlog_format=STATEMENT.*set it to ROW/);
    await root.query("SET GLOBAL binlog_format = 'ROW'");
  });

  it('with a sql_mode that cuts values to fit: sessions have their own', async () => {
    await root.query("SET GLOBAL sql_mode = ''");
    const session = await open(server.url, undefined);
    await session.change('CREATE TEMPORARY TABLE narrow (name VARCHAR(3))');
    await expect(session.change("INSERT INTO narrow VALUES ('four')")).rejects.toThrow(/Data too long/);
    const [row] = await session.rows('SELECT @@tx_isolation, @@autocommit, @@time_zone');
    expect(row).toEqual(['READ-COMMITTED', 1, '+00:00']);
    await session.end();
  });

  function open(url: string, options: MySqlTls | undefined): Promise<MySqlSession> {
    const observer = { onSlowStatement: () => {} };
    return MySqlSession.open({ ...mysqlOptions(url), tls: options, observer });
  }

  describe('that lets nobody in', () => {
    const changed = (change: (url: URL) => unknown) => {
      const url = new URL(server.url);
      change(url);
      return url.href;
    };

    it.each<[given: string, change: (url: URL) => unknown, message: RegExp]>([
      [
        'a wrong password',
        (url) => (url.password = 'wrong'),
        /refuses access .*Access denied for user 'usher'/,
      ],
      [
        'an unknown user',
        (url) => (url.username = 'nobody'),
        /refuses access .*Access denied for user 'nobody'/,
      ],
      [
        'an unknown database',
        (url) => (url.pathname = '/usher_none'),
        /refuses access .*Unknown database 'usher_none'/,
      ],
      [
        "somebody else's database",
        (url) => (url.pathname = '/mysql'),
        /refuses access .*Access denied for user/,
      ],
      ['a port where nobody listens', (url) => (url.port = '1'), /does not answer: connect ECONNREFUSED/],
    ])('%s: is told at once, without the password', async (_, change, message) => {
      const url = changed(change);
      const start = await outcomeOf(StoreRun.open(url));
      expect(start).toMatchObject({ said: 'StoreUnavailable', message: expect.stringMatching(message) });
      expect(start.tookMs).toBeLessThan(4_000);
      expect(start.message).not.toContain(new URL(url).password);
    });
  });

  describe('by TLS', () => {
    it('is encrypted, every connection of the store', async () => {
      await root.query('SET GLOBAL require_secure_transport = 1');
      try {
        const run = await StoreRun.open(server.url, { primary: { tls: tls() } });
        await run.claim(1);
        const journal = new ScheduleJournal(1, 1);
        journal.hold();
        expect(await run.commitNew(journal)).toBe('committed');
        await run.store.projectAll();
        await run.store.loadSchedule(journal.scheduleId, everything);
        await run.store.close();
        await expect(StoreRun.open(server.url)).rejects.toThrow(/refuses access/);
      } finally {
        await root.query('SET GLOBAL require_secure_transport = 0');
      }
    });

    it('refuses a certificate of an authority that it does not know', async () => {
      const folder = temporaryDirectory();
      const wrong = readFileSync(selfSignedCertificate(folder).caFile, 'utf8');
      rmSync(folder, { recursive: true });
      for (const authority of [wrong, undefined]) {
        const start = await outcomeOf(
          StoreRun.open(server.url, { primary: { tls: tls({ ca: authority }) } }),
        );
        expect(start).toMatchObject({
          said: 'StoreUnavailable',
          message: expect.stringMatching(/certificate/),
        });
        expect(start.tookMs).toBeLessThan(4_000);
      }
    });

    it('says so when the server has none', async () => {
      const start = await outcomeOf(StoreRun.open(sharedMariaDb().url, { primary: { tls: tls() } }));
      expect(start.message).toMatch(/does not support secure connection/);
    });

    it('closes the socket of a connection that is given up', async () => {
      const session = await open(server.url, tls());
      session.destroy();
      const gone = 'SELECT COUNT(*) FROM information_schema.processlist WHERE id = ';
      await vi.waitFor(async () =>
        expect(await rowsOf(root, `${gone}${session.connectionId}`)).toEqual([[0]]),
      );
    });

    it.each<[host: string, name: string, isTaken: boolean]>([
      ['127.0.0.1', 'IP:127.0.0.1', true],
      ['127.0.0.1', 'DNS:localhost', false],
      ['127.0.0.1', 'IP:127.0.0.2', false],
      ['localhost', 'DNS:localhost', true],
      ['localhost', 'DNS:elsewhere.example', false],
    ])('asked for as %s, takes a certificate for %s: %s', async (host, name, isTaken) => {
      presentCertificateFor(name);
      await root.query('FLUSH SSL');
      const url = new URL(server.url);
      url.hostname = host;
      const session = await outcomeOf(open(url.href, tls()));
      if (isTaken) await (session.said as MySqlSession).end();
      else
        expect(session).toMatchObject({
          said: 'MySqlFault',
          message: /does not match certificate's altnames/,
        });
    });
  });

  /** Signed by the server's own authority, as its first one was (self-signed-certificate.ts). */
  function presentCertificateFor(name: string): void {
    const file = (each: string) => join(server.folder, each);
    writeFileSync(file('server.ext'), `subjectAltName=${name}\n`);
    const files = { '-in': 'server.csr', '-CA': 'ca.pem', '-CAkey': 'ca-key.pem', '-extfile': 'server.ext' };
    const args = Object.entries(files).flatMap(([option, each]) => [option, file(each)]);
    runCommand('openssl', [
      'x509',
      '-req',
      '-days',
      '2',
      '-CAcreateserial',
      ...args,
      '-out',
      file('server.pem'),
    ]);
  }
});
