/**
 * What a failure of the server or of its connection means for whoever asked.
 *
 * - `again`: the transaction is gone, and the same one may go well at once (1205 lock wait, 1213 deadlock).
 * - `reconnect`: this connection is of no use; another one may be (2006, 2013, a killed connection, 1290 and its
 *   kin: a server that has become read-only, behind whose name another one stands after a failover; 1040: the
 *   server has no connection to give, for now).
 * - `unavailable`: nothing that we could do now goes better (a full disk, a refused password, a missing table …).
 */
export type MySqlFaultKind = 'again' | 'reconnect' | 'unavailable';

/** Numbers of errors, from MySQL's and MariaDB's references, by what follows from them. */
const againNumbers: ReadonlySet<number> = new Set([
  1205, // ER_LOCK_WAIT_TIMEOUT: rolls back its statement alone, so the transaction must be rolled back
  1213, // ER_LOCK_DEADLOCK: has rolled back the transaction
  1020, // ER_CHECKREAD (MariaDB): the row was changed since the snapshot
]);

const readOnlyNumbers: ReadonlySet<number> = new Set([
  1290, // ER_OPTION_PREVENTS_STATEMENT: --read-only, --super-read-only
  1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1836, // ER_READ_ONLY_MODE
  3100, // ER_TRANSACTION_ROLLBACK_DURING_COMMIT: group replication took the transaction back
]);

const fullNumbers: ReadonlySet<number> = new Set([
  1040, // ER_CON_COUNT_ERROR
  1203, // ER_TOO_MANY_USER_CONNECTIONS
  1226, // ER_USER_LIMIT_REACHED
]);

const lostNumbers: ReadonlySet<number> = new Set([
  1053, // ER_SERVER_SHUTDOWN
  1152, // ER_ABORTING_CONNECTION
  1158, // ER_NET_READ_ERROR
  1159, // ER_NET_READ_INTERRUPTED
  1160, // ER_NET_ERROR_ON_WRITE
  1161, // ER_NET_WRITE_INTERRUPTED
  1317, // ER_QUERY_INTERRUPTED: KILL QUERY, or a shutdown
  1927, // ER_CONNECTION_KILLED (MariaDB)
  2006, // CR_SERVER_GONE_ERROR
  2013, // CR_SERVER_LOST
  3169, // ER_SESSION_WAS_KILLED (MySQL)
  4031, // ER_CLIENT_INTERACTION_TIMEOUT (MySQL): idle for wait_timeout
]);

const diskNumbers: ReadonlySet<number> = new Set([
  1021, // ER_DISK_FULL
  1026, // ER_ERROR_ON_WRITE
  1030, // ER_GET_ERRNO: a storage engine's error, of which "No space left" is one
  1114, // ER_RECORD_FILE_FULL: the table's space cannot grow
]);

const systemCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
]);

/** A unique key or a CHECK that held what should never have come: 1062 ER_DUP_ENTRY, 3819 and 4025 CHECK. */
const constraintNumbers: ReadonlySet<number> = new Set([1062, 1048, 1264, 1406, 1690, 3819, 4025]);

/** A failure with what it means; `cause` is the driver's error. The message is for people. */
export class MySqlFault extends Error {
  override name = 'MySqlFault';
  readonly kind: MySqlFaultKind;
  /** The server's number of the error; undefined where the server said nothing. */
  readonly errno: number | undefined;
  /** The server said it: the connection is alive and in step. */
  readonly isServers: boolean;

  constructor(kind: MySqlFaultKind, message: string, details: { errno?: number; cause?: unknown }) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.errno = details.errno;
    this.isServers = details.errno !== undefined;
  }

  /** What was stored forbids what was asked. */
  get isConstraint(): boolean {
    return this.errno !== undefined && constraintNumbers.has(this.errno);
  }

  /** The connection is gone, or nobody knows what it will answer next. */
  get endsConnection(): boolean {
    return this.kind === 'reconnect' || !this.isServers;
  }
}

/** The fault in an error of mysql2's. `statement` is its text without values. */
export function faultOf(error: unknown, statement: string): MySqlFault {
  if (error instanceof MySqlFault) return error;
  const { errno, code, message, fatal } = fieldsOf(error);
  const says = (what: string) => `MySQL ${what}: ${message} [${statement}]`;
  if (code !== undefined && systemCodes.has(code)) {
    return new MySqlFault('reconnect', says('does not answer'), { cause: error });
  }
  const details = { ...(errno !== undefined && errno > 0 && { errno }), cause: error };
  if (details.errno === undefined) {
    return new MySqlFault('reconnect', says('connection failed'), details);
  }
  if (againNumbers.has(details.errno))
    return new MySqlFault('again', says('gave the transaction up'), details);
  if (readOnlyNumbers.has(details.errno)) return new MySqlFault('reconnect', says('is read-only'), details);
  if (fullNumbers.has(details.errno)) {
    return new MySqlFault('reconnect', says('has no connection to give (max_connections)'), details);
  }
  if (lostNumbers.has(details.errno))
    return new MySqlFault('reconnect', says('ended the connection'), details);
  if (diskNumbers.has(details.errno)) {
    return new MySqlFault('unavailable', says('cannot write (is its disk full?)'), details);
  }
  return new MySqlFault(fatal ? 'reconnect' : 'unavailable', says(`refused a statement (${errno})`), details);
}

function fieldsOf(error: unknown): { errno?: number; code?: string; message: string; fatal: boolean } {
  if (!(error instanceof Error)) return { message: String(error), fatal: true };
  const { errno, code, fatal } = error as { errno?: unknown; code?: unknown; fatal?: unknown };
  return {
    message: error.message,
    fatal: fatal === true,
    ...(typeof errno === 'number' && { errno }),
    ...(typeof code === 'string' && { code }),
  };
}
