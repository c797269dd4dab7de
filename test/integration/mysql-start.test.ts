import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MariaDb, startMariaDb } from '../../scripts/servers/mariadb.ts';
import { queryMySql } from './mysql-history.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/** MySQL as it should not be when a node starts, and while nobody asks the node for anything. */
const directory = temporaryDirectory();
let server: MariaDb;

beforeAll(async () => {
  server = await startMariaDb();
});
afterAll(async () => {
  await server?.stop();
  directory.remove();
});

const start = (mysqlUrl: string) => UsherProcess.start(directory.path, { MYSQL_URL: mysqlUrl });

/** What is printed by a node that is not to start: one line, and nothing that is secret. */
async function lastWords(url: string): Promise<string> {
  const error = await start(url).then(
    async (usher) => {
      await usher.stop('SIGKILL');
      return new Error('it has started');
    },
    (reason: Error) => reason,
  );
  const [, lines = ''] = error.message.split('usher ended before it listened:\n');
  expect(lines.trimEnd().split('\n'), error.message).toHaveLength(1);
  expect(lines).not.toContain(new URL(url).password);
  return lines;
}

const changed = (change: (url: URL) => void): string => {
  const url = new URL(server.url);
  change(url);
  return url.href;
};

describe('a node that can’t use its database ends with a line that says which, and why', () => {
  test('a wrong password', async () => {
    const line = await lastWords(changed((url) => (url.password = 'not-the-password')));
    expect(line).toMatch(/^usher: MYSQL_URL \(127\.0\.0\.1:\d+\/usher\): .*Access denied for user 'usher'/);
  });

  test('a database that is not there, or not the user’s', async () => {
    const missing = await lastWords(changed((url) => (url.pathname = '/usher_nowhere')));
    expect(missing).toMatch(/^usher: MYSQL_URL \(.*\/usher_nowhere\): .*Unknown database 'usher_nowhere'/);
    const foreign = await lastWords(changed((url) => (url.pathname = '/mysql')));
    expect(foreign).toMatch(/^usher: MYSQL_URL \(.*\/mysql\): .*Access denied/);
  });

  test('a host that there is not', async () => {
    const line = await lastWords(changed((url) => (url.hostname = 'nowhere.invalid')));
    expect(line).toMatch(/^usher: MYSQL_URL \(nowhere\.invalid:\d+\/usher\): MySQL does not answer: /);
  });

  test('somebody who is silent', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const { port } = silent.address() as { port: number };
      const line = await lastWords(changed((url) => (url.port = `${port}`)));
      expect(line).toMatch(/^usher: MYSQL_URL \(127\.0\.0\.1:\d+\/usher\): MySQL does not answer: /);
    } finally {
      silent.close();
    }
  });

  test('a server that is read-only', async () => {
    await queryMySql(server.rootUrl, 'SET GLOBAL read_only = 1');
    try {
      expect(await lastWords(server.url)).toMatch(/^usher: MYSQL_URL \(.*\): MySQL is read-only: /);
    } finally {
      await queryMySql(server.rootUrl, 'SET GLOBAL read_only = 0');
    }
  });

  test('a server that is down', async () => {
    await server.shutDown();
    try {
      expect(await lastWords(server.url)).toMatch(
        /^usher: MYSQL_URL \(.*\): MySQL does not answer: .*ECONNREFUSED/,
      );
    } finally {
      await server.restart();
    }
  });
});

test('a node that nobody asks for anything knows that it is not ready, and when it is again', async () => {
  const usher = await start(server.url);
  try {
    const readiness = async () => (await fetch(`${usher.publicUrl}/readyz`)).text();
    await server.kill9();
    await expect.poll(readiness, { timeout: 10_000, interval: 200 }).toContain('the store does not answer');
    await server.restart();
    await expect.poll(readiness, { timeout: 10_000, interval: 200 }).toBe('{"status":"ready"}');
  } finally {
    await usher.stop('SIGKILL');
  }
});
