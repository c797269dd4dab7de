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
]);

const fullNumbers: ReadonlySet<number> = new Set([
  1040, // ER_CON_COUNT_ERROR
  1203, // ER_TOO_MANY_USER_CONNECTIONS
  1226, // ER_USER_LIMIT_REACHED
]);

const lostNumbers: ReadonlySet<number> = new Set([
  1047, // ER_UNKNOWN_COM_ERROR: a Galera node that has left its cluster
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
  3100, // ER_RUN_HOOK_ERROR: group replication could not run its part of a commit
  3101, // ER_TRANSACTION_ROLLBACK_DURING_COMMIT: group replication took the transaction back
  3169, // ER_SESSION_WAS_KILLED (MySQL)
  4031, // ER_CLIENT_INTERACTION_TIMEOUT (MySQL): idle for wait_timeout
]);

const diskNumbers: ReadonlySet<number> = new Set([
  1021, // ER_DISK_FULL
  1026, // ER_ERROR_ON_WRITE
  1030, // ER_GET_ERRNO: a storage engine's error, of which "No space left" is one
  1114, // ER_RECORD_FILE_FULL: the table's space cannot grow
]);

const accessNumbers: ReadonlySet<number> = new Set([
  1044, // ER_DBACCESS_DENIED_ERROR
  1045, // ER_ACCESS_DENIED_ERROR
  1049, // ER_BAD_DB_ERROR: unknown database
  1129, // ER_HOST_IS_BLOCKED: too many failed connections; FLUSH HOSTS
  1130, // ER_HOST_NOT_PRIVILEGED
  1698, // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
  1862, // ER_MUST_CHANGE_PASSWORD_LOGIN
  3118, // ER_ACCOUNT_HAS_BEEN_LOCKED
  3159, // ER_SECURE_TRANSPORT_REQUIRED (MySQL): MYSQL_URL is without TLS
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

/** A key, a CHECK or a column's type that held what should never have come. */
const constraintNumbers: ReadonlySet<number> = new Set([
  1048, // ER_BAD_NULL_ERROR
  1062, // ER_DUP_ENTRY
  1264, // ER_WARN_DATA_OUT_OF_RANGE
  1265, // WARN_DATA_TRUNCATED
  1366, // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD: a character that the column's set doesn't have
  1406, // ER_DATA_TOO_LONG
  1451, // ER_ROW_IS_REFERENCED_2
  1452, // ER_NO_REFERENCED_ROW_2
  1690, // ER_DATA_OUT_OF_RANGE: BIGINT UNSIGNED below 0
  3819, // ER_CHECK_CONSTRAINT_VIOLATED (MySQL)
  3988, // ER_CANNOT_CONVERT_STRING (MySQL): as 1366
  4025, // ER_CONSTRAINT_FAILED (MariaDB)
]);

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
  const fault = (kind: MySqlFaultKind, what: string) =>
    new MySqlFault(kind, `MySQL ${what}: ${message} [${statement}]`, {
      ...(errno !== undefined && errno > 0 && { errno }),
      cause: error,
    });
  if (code !== undefined && systemCodes.has(code)) return fault('reconnect', 'does not answer');
  if (errno === undefined || errno <= 0) return fault('reconnect', 'connection failed');
  if (againNumbers.has(errno)) return fault('again', 'gave the transaction up');
  if (readOnlyNumbers.has(errno)) return fault('reconnect', 'is read-only');
  if (fullNumbers.has(errno)) return fault('reconnect', 'has no connection to give (max_connections)');
  if (lostNumbers.has(errno)) return fault('reconnect', 'ended the connection');
  if (diskNumbers.has(errno)) return fault('unavailable', 'cannot write (is its disk full?)');
  if (accessNumbers.has(errno))
    return fault(
      'unavailable',
      'refuses access (see the user, password and database of its URL, and whether it asks for TLS)',
    );
  if (errno === packetTooLarge) return fault('reconnect', 'takes no packet so large (max_allowed_packet)');
  return fault(fatal ? 'reconnect' : 'unavailable', `refused a statement (${errno})`);
}

/** ER_NET_PACKET_TOO_LARGE: the server closes the connection after it. */
const packetTooLarge = 1153;

function fieldsOf(error: unknown): { errno?: number; code?: string; message: string; fatal: boolean } {
  if (!(error instanceof Error)) return { message: String(error), fatal: true };
  const { errno, code, fatal } = error as { errno?: unknown; code?: unknown; fatal?: unknown };
  return {
    // Where a name has several addresses, the error of them all has no message of its own.
    message: error.message === '' ? String(code) : error.message,
    fatal: fatal === true,
    ...(typeof errno === 'number' && { errno }),
    ...(typeof code === 'string' && { code }),
  };
}
