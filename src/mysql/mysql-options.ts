import { connect, isIP, type Socket } from 'node:net';
import type { ConnectionOptions } from 'mysql2';

/** Where a server is and how to speak to it: plain data, so that it crosses a thread boundary. */
export interface MySqlOptions {
  /** `mysql://user:password@host:port/database`. */
  readonly url: string;
  /** Undefined: not encrypted. */
  readonly tls: MySqlTls | undefined;
  /** Every statement ends within it; one that doesn't costs its connection. */
  readonly statementLimitMs: number;
  /** A statement that takes longer is reported. */
  readonly slowStatementMs: number;
}

/** PEM texts. The server's certificate and host name are always verified. */
export interface MySqlTls {
  /** Undefined: the system's certificate authorities. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** How long a connection may take until it can be used. */
const connectLimitMs = 3_000;

/** mysql2's options: rows as arrays, integers as numbers, and nothing of its own in between. */
export function connectionOptions({ url, tls }: MySqlOptions): ConnectionOptions {
  const { hostname, port: portText, username, password, pathname } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const port = portText === '' ? 3306 : Number(portText);
  return {
    host,
    port,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    charset: 'utf8mb4_bin',
    timezone: 'Z',
    connectTimeout: connectLimitMs,
    enableKeepAlive: true,
    rowsAsArray: true,
    // Numbers of ours are all safe integers; one beyond them would come as text, and be seen.
    supportBigNumbers: true,
    // A file of the client's is nothing that this server should ever ask for.
    flags: ['-LOCAL_FILES'],
    connectAttributes: { program_name: 'usher' },
    ...(tls !== undefined && isIP(host) !== 0 && { stream: () => addressedSocket(host, port) }),
    ...(tls !== undefined && {
      ssl: {
        rejectUnauthorized: true,
        verifyIdentity: true,
        minVersion: 'TLSv1.2',
        ...(tls.ca !== undefined && { ca: tls.ca }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key !== undefined && { key: tls.key }),
      },
    }),
  };
}

/**
 * A certificate is compared with the host that its socket was opened for, and where that is an address Node and
 * mysql2 forget it between them, and compare with `localhost`: certificates that name the address would be refused,
 * and ones for localhost taken from anybody. Node asks `_host`; should it not any more, it refuses.
 */
function addressedSocket(host: string, port: number): Socket {
  const socket = connect(port, host);
  socket.setNoDelay(true);
  socket.setKeepAlive(true);
  return Object.assign(socket, { _host: host });
}
