import { randomBytes } from 'node:crypto';
import { type Connection, type ConnectionOptions, createConnection } from 'mysql2/promise';

/** A connection for the time of `work`. */
export async function connected<Result>(
  options: ConnectionOptions,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await createConnection(options);
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}

/**
 * Makes an empty database, whose name is a new one and begins with `usher_`, on the server of this URL.
 * Answers with its URL. `options`: how to connect, if not by the URL.
 */
export async function createDatabase(
  serverUrl: string,
  options: ConnectionOptions = { uri: serverUrl },
): Promise<string> {
  const name = `usher_${randomBytes(6).toString('hex')}`;
  await connected(options, (connection) => connection.query(`CREATE DATABASE ${name}`));
  return withDatabase(serverUrl, name);
}

export async function dropDatabase(url: string, options: ConnectionOptions = { uri: url }): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await connected(options, (connection) => connection.query('DROP DATABASE IF EXISTS ??', [name]));
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
