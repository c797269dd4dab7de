import { MySqlFault } from './mysql-fault.ts';
import type { MySqlSession } from './session.ts';

/**
 * What the server's settings mean for what Usher promises. Read at the start: a server that forgets a commit in a
 * crash breaks I2, and nobody would notice until then.
 * @returns a warning a setting, for people; empty when a commit survives the crash of server and machine.
 */
export async function serverWarnings(session: MySqlSession): Promise<readonly string[]> {
  const settings = await readSettings(session);
  return durabilityWarnings(settings).concat(packetWarning(settings));
}

function durabilityWarnings(settings: Settings): string[] {
  const warnings: string[] = [];
  const warn = (name: string, wanted: string, cost: string) =>
    warnings.push(`MySQL runs with ${name}=${settings.get(name)}, not ${wanted}: ${cost}`);
  // 3, in MariaDB, writes more often than 1, and never later.
  const flush = settings.get('innodb_flush_log_at_trx_commit');
  if (flush === '0' || flush === '2') {
    const crash = flush === '0' ? 'a crash of the server' : 'a crash of the machine';
    warn('innodb_flush_log_at_trx_commit', '1', `${crash} may lose what was answered in the last second`);
  }
  // A transaction that is prepared but not in the binary log is rolled back when the server starts.
  if (isOn(settings.get('log_bin')) && settings.get('sync_binlog') !== '1') {
    const cost =
      'a crash of the machine may lose what was answered last, on this server and on a replica that is promoted';
    warn('sync_binlog', '1', cost);
  }
  const doublewrite = settings.get('innodb_doublewrite');
  if (doublewrite !== undefined && !isOn(doublewrite)) {
    warn('innodb_doublewrite', 'ON', 'a crash of the machine may leave half-written pages');
  }
  return warnings;
}

/** The default of MariaDB; MySQL's is larger. A batch, and a chunk of a projection, go in one packet. */
const packetBytesWanted = 16 * 1024 * 1024;

function packetWarning(settings: Settings): string[] {
  const bytes = settings.get('max_allowed_packet');
  if (bytes === undefined || Number(bytes) >= packetBytesWanted) return [];
  return [
    `MySQL runs with max_allowed_packet=${bytes}, not ${packetBytesWanted}: a large batch would be refused each time`,
  ];
}

/** Rejects with MySqlFault when the server cannot be used at all. */
export async function requireUsableServer(session: MySqlSession): Promise<void> {
  const settings = await readSettings(session);
  if (['read_only', 'innodb_read_only'].some((name) => isSet(settings.get(name)))) {
    throw new MySqlFault('reconnect', 'MySQL is read-only: MYSQL_URL must name the primary', {});
  }
  if (isOn(settings.get('log_bin')) && settings.get('binlog_format') === 'STATEMENT') {
    const message =
      'MySQL runs with binlog_format=STATEMENT, which refuses every write under READ COMMITTED: set it to ROW';
    throw new MySqlFault('unavailable', message, {});
  }
  const [row] = await session.rows<[mode: string]>('SELECT @@SESSION.sql_mode');
  if (!/STRICT_(?:ALL|TRANS)_TABLES/.test(row?.[0] ?? '')) {
    throw new MySqlFault('unavailable', 'MySQL does not take strict mode for this session', {});
  }
  const [engine] = await session.rows<[support: string]>(
    "SELECT support FROM information_schema.engines WHERE engine = 'InnoDB'",
  );
  if (engine === undefined || !['YES', 'DEFAULT'].includes(engine[0])) {
    throw new MySqlFault('unavailable', 'MySQL has no InnoDB: nothing else keeps a transaction', {});
  }
}

const names = [
  'innodb_flush_log_at_trx_commit',
  'sync_binlog',
  'log_bin',
  'binlog_format',
  'innodb_doublewrite',
  'read_only',
  'innodb_read_only',
  'max_allowed_packet',
];

type Settings = ReadonlyMap<string, string>;

async function readSettings(session: MySqlSession): Promise<Settings> {
  const places = names.map(() => '?').join(', ');
  const rows = await session.rows<[name: string, value: string]>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${places})`,
    names,
  );
  return new Map(rows);
}

const isOn = (value: string | undefined): boolean =>
  ['ON', '1', 'YES', 'DETECT_AND_RECOVER'].includes(value ?? '');

/** Newer servers have more ways of being read-only than ON. */
const isSet = (value: string | undefined): boolean => !['OFF', '0', undefined].includes(value);
