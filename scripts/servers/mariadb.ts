import { randomBytes, randomInt } from 'node:crypto';
import type { ConnectionOptions, RowDataPacket } from 'mysql2/promise';
import { type MariaDbProcess, type ServerVariables, startMariaDbProcess } from './mariadb-process.ts';
import { connected, createDatabase, dropDatabase } from './mysql-databases.ts';
import type { ServerControl } from './server-process.ts';

/**
 * A MariaDB of our own on a free loopback port. It has a binary log with GTIDs, and what it has committed
 * survives a crash of the machine, unless its variables say otherwise.
 */
interface MariaDbServer extends ServerControl {
  /** The database `usher` for the user `usher`, who has all rights on databases named `usher…`, and no others. */
  readonly url: string;
  /** For root, with no database. */
  readonly rootUrl: string;
  readonly port: number;
  /** With `tls`: the authority that signed the server's certificate, which is for 127.0.0.1 and localhost. */
  readonly caFile: string | undefined;
}

export interface MariaDb extends MariaDbServer {
  /** A fresh, empty database of the user `usher`; its URL. Tests have one each: that takes milliseconds. */
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
}

/** Follows a primary by GTID, whose users and databases it has; read-only for all but root. */
export interface MariaDbReplica extends MariaDbServer {
  /** Where the replica has this database of the primary's. */
  urlOf(primaryUrl: string): string;
  /** Resolves once it has what the primary had committed at the call. @throws Error that says what hinders it. */
  waitUntilCaughtUp(timeoutMs?: number): Promise<void>;
}

export interface MariaDbOptions {
  /** Server variables by their names in SQL: `{ sync_binlog: 0, max_connections: 500 }`. */
  readonly variables?: ServerVariables;
  /** Offers TLS, and with the variable `require_secure_transport` insists on it. Default false. */
  readonly tls?: boolean;
}

const catchUpTimeoutMs = 30_000;
const replication = { user: 'replication', password: newPassword() };

export async function startMariaDb(options: MariaDbOptions = {}): Promise<MariaDb> {
  const passwords = { root: newPassword(), usher: newPassword() };
  const own = await startMariaDbProcess({
    rootPassword: passwords.root,
    variables: { server_id: 1, ...options.variables },
    tls: options.tls ?? false,
    prepare: async (root) => {
      for (const statement of [
        'CREATE DATABASE usher',
        `CREATE USER usher@'%' IDENTIFIED BY '${passwords.usher}'`,
        "GRANT ALL ON `usher%`.* TO usher@'%'",
        `CREATE USER ${replication.user}@'%' IDENTIFIED BY '${replication.password}'`,
        `GRANT REPLICATION SLAVE ON *.* TO ${replication.user}@'%'`,
      ]) {
        await root.query(statement);
      }
    },
  });
  const addresses = addressesOf(own, passwords);
  return Object.assign(own.server, {
    ...addresses,
    createDatabase: () => createDatabase(addresses.url, own.root),
    dropDatabase: (url: string) => dropDatabase(url, own.root),
  });
}

/** Resolves once the replica has what the primary has. */
export async function startReplica(primary: MariaDb, options: MariaDbOptions = {}): Promise<MariaDbReplica> {
  const passwords = { root: newPassword(), usher: new URL(primary.url).password };
  const own = await startMariaDbProcess({
    rootPassword: passwords.root,
    variables: {
      server_id: randomInt(2, 1_000_000),
      read_only: 1,
      // What it had fetched but not applied when it was killed, it fetches again.
      relay_log_recovery: 1,
      relay_log: 'relaylog',
      slave_net_timeout: 10,
      ...options.variables,
    },
    tls: options.tls ?? false,
    prepare: async (root) => {
      await root.query(
        `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${primary.port},
         MASTER_USER = '${replication.user}', MASTER_PASSWORD = '${replication.password}',
         MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_SSL = ${primary.caFile ? 1 : 0},
         MASTER_SSL_VERIFY_SERVER_CERT = 0`,
      );
      await root.query('START SLAVE');
    },
  });
  const addresses = addressesOf(own, passwords);
  const replica = Object.assign(own.server, {
    ...addresses,
    urlOf: (primaryUrl: string) => {
      const url = new URL(primaryUrl);
      url.port = `${own.port}`;
      return url.href;
    },
    waitUntilCaughtUp: async (timeoutMs = catchUpTimeoutMs) =>
      catchUp(own.root, await positionOf(primary), timeoutMs),
  });
  try {
    await replica.waitUntilCaughtUp();
    return replica;
  } catch (error) {
    await replica.stop();
    throw error;
  }
}

function newPassword(): string {
  return randomBytes(12).toString('hex');
}

function addressesOf({ port, caFile }: MariaDbProcess, passwords: { root: string; usher: string }) {
  return {
    url: `mysql://usher:${passwords.usher}@127.0.0.1:${port}/usher`,
    rootUrl: `mysql://root:${passwords.root}@127.0.0.1:${port}`,
    port,
    caFile,
  };
}

/** The GTID of its last transaction. A primary that asks for TLS gets it; nobody listens in on a loopback. */
async function positionOf({ rootUrl, caFile }: MariaDb): Promise<string> {
  const tls = caFile === undefined ? {} : { ssl: { rejectUnauthorized: false } };
  return connected({ uri: rootUrl, ...tls }, async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>('SELECT @@gtid_binlog_pos AS position');
    return rows[0]?.['position'];
  });
}

async function catchUp(root: ConnectionOptions, position: string, timeoutMs: number): Promise<void> {
  await connected(root, async (connection) => {
    const wait = 'SELECT MASTER_GTID_WAIT(?, ?) AS outcome';
    const [rows] = await connection.query<RowDataPacket[]>(wait, [position, timeoutMs / 1_000]);
    if (rows[0]?.['outcome'] === 0) return;
    const [status] = await connection.query<RowDataPacket[]>('SHOW SLAVE STATUS');
    const because = ['Gtid_IO_Pos', 'Last_IO_Error', 'Last_SQL_Error'].map((name) => status[0]?.[name]);
    throw new Error(`the replica is not at ${position} after ${timeoutMs} ms: ${because.join(' ')}`);
  });
}
