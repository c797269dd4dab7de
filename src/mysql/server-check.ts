import { MySqlFault } from './mysql-fault.ts';
import type { MySqlSession } from './session.ts';

/**
 * What the server's settings mean for what Usher promises. Read at the start: a server that forgets a commit in a
 * crash breaks I2, and nobody would notice until then.
 * @returns a warning a setting, for people; empty when a commit survives the crash of server and machine.
 */
export async function serverWarnings(session: MySqlSession): Promise<readonly string[]> {
  const settings = await readSettings(session);
  const value = (name: string) => settings.get(name);
  const warnings: string[] = [];
  const warn = (name: string, wanted: string, cost: string) =>
    warnings.push(`MySQL runs with ${name}=${value(name)}, not ${wanted}: ${cost}`);
  if (value('innodb_flush_log_at_trx_commit') !== '1') {
    const cost =
      value('innodb_flush_log_at_trx_commit') === '2'
        ? 'a crash of the machine may lose what was answered in the last second'
        : 'a crash of the server may lose what was answered in the last second';
    warn('innodb_flush_log_at_trx_commit', '1', cost);
  }
  if (isOn(value('log_bin')) && value('sync_binlog') !== '1') {
    const cost =
      'a crash of the machine may lose the end of the binary log, and a replica that is promoted has not what was answered last';
    warn('sync_binlog', '1', cost);
  }
  if (value('innodb_doublewrite') !== undefined && !isOn(value('innodb_doublewrite'))) {
    warn('innodb_doublewrite', 'ON', 'a crash of the machine may leave half-written pages');
  }
  if (isOn(value('log_bin')) && value('binlog_format') === 'STATEMENT') {
    warn('binlog_format', 'ROW', 'READ COMMITTED transactions cannot be logged as statements');
  }
  return warnings;
}

/** Rejects with MySqlFault when the server cannot be used at all. */
export async function requireUsableServer(session: MySqlSession): Promise<void> {
  const settings = await readSettings(session);
  if (isOn(settings.get('read_only'))) {
    throw new MySqlFault('reconnect', 'MySQL is read-only: MYSQL_URL must name the primary', {});
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
];

async function readSettings(session: MySqlSession): Promise<ReadonlyMap<string, string>> {
  const places = names.map(() => '?').join(', ');
  const rows = await session.rows<[name: string, value: string]>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${places})`,
    names,
  );
  return new Map(rows);
}

const isOn = (value: string | undefined): boolean =>
  ['ON', '1', 'YES', 'DETECT_AND_RECOVER'].includes(value ?? '');
