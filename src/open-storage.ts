import { StoreUnavailable } from './actors/runtime/ports.ts';
import type { Config } from './config.ts';
import { openMySqlLedger } from './ledger/mysql/mysql-ledger.ts';
import { openSqliteLedger } from './ledger/sqlite/sqlite-ledger.ts';
import type { MySqlOptions } from './mysql/mysql-options.ts';
import { openMySqlStore } from './persistence/mysql/mysql-store.ts';
import { openSqliteStore } from './persistence/sqlite/sqlite-store.ts';
import type { StoreNotice } from './persistence/worker/store-procedures.ts';
import type { WorkerStore } from './persistence/worker/worker-store.ts';
import type { MySqlConfig } from './server-settings.ts';
import { systemClock } from './system-clock.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { relayedFault } from './telemetry/relayed-fault.ts';

type OwnLedger = Awaited<ReturnType<typeof openSqliteLedger>> | Awaited<ReturnType<typeof openMySqlLedger>>;

/** Where everything is kept: the journal with its projections, and points and payments. */
interface Storage {
  readonly store: WorkerStore;
  readonly ledger: OwnLedger;
}

interface StorageOptions {
  readonly config: Config;
  /** Names this run of the process. */
  readonly instanceId: string;
  readonly metrics: Metrics;
  readonly log: Log;
  /** A batch is on disk. */
  readonly onCommitted: () => void;
}

/**
 * Opens both, in MySQL where MYSQL_URL is set and in files of DATA_DIR otherwise. Rejects with StoreUnavailable,
 * with nothing left open; its message names the setting to look at.
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  try {
    return await openBoth(options);
  } catch (error) {
    const { mysql } = options.config;
    if (mysql === undefined || !(error instanceof StoreUnavailable)) throw error;
    const { host, pathname } = new URL(mysql.url);
    throw new StoreUnavailable(`MYSQL_URL (${host}${pathname}): ${error.message}`, { cause: error });
  }
}

async function openBoth(options: StorageOptions): Promise<Storage> {
  const ledger = await openLedger(options);
  let store: WorkerStore | undefined;
  try {
    store = await openStore(options);
    await checkPair(store, ledger);
    return { store, ledger };
  } catch (error) {
    await store?.close();
    await ledger.close();
    throw error;
  }
}

function openLedger({ config, instanceId, metrics, log }: StorageOptions): Promise<OwnLedger> {
  const common = {
    operationsWaitingMax: config.ledgerWaitingMax,
    clock: systemClock,
    observer: metrics.payments,
  };
  if (config.mysql === undefined) return openSqliteLedger({ ...common, directory: config.dataDir });
  const { readUrl, poolMax } = config.mysql;
  return openMySqlLedger({
    ...common,
    mysql: mySqlOptions(config.mysql),
    ...(readUrl !== undefined && { readUrl }),
    holder: instanceId,
    poolMax,
    onSlowStatement: (statement, durationMs) => onSlowStatement(metrics, log, statement, durationMs),
  });
}

function openStore({ config, instanceId, metrics, log, onCommitted }: StorageOptions): Promise<WorkerStore> {
  const onNotice = (notice: StoreNotice) => tell(notice, metrics, log);
  if (config.mysql === undefined) {
    return openSqliteStore({ directory: config.dataDir, onNotice, onCommitted });
  }
  const primary = mySqlOptions(config.mysql);
  const { readUrl, poolMax } = config.mysql;
  return openMySqlStore({
    primary,
    replica: readUrl === undefined ? undefined : { ...primary, url: readUrl },
    holder: instanceId,
    poolMax,
    onNotice,
    onCommitted,
  });
}

const mySqlOptions = ({ url, tls, statementMaxMs, slowStatementMs }: MySqlConfig): MySqlOptions => ({
  url,
  tls,
  statementLimitMs: statementMaxMs,
  slowStatementMs,
});

function tell(notice: StoreNotice, metrics: Metrics, log: Log): void {
  switch (notice.kind) {
    case 'projection-error':
      log.error(notice.error, 'a projection stopped: queries of its schedule grow stale');
      break;
    case 'slow-statement':
      onSlowStatement(metrics, log, notice.statement, notice.durationMs);
      break;
    case 'fault':
      metrics.runtime.onFault(notice.fault, relayedFault(notice.message));
      break;
    case 'warning':
      log.warn(notice.message);
      break;
  }
}

function onSlowStatement(metrics: Metrics, log: Log, statement: string, durationMs: number): void {
  metrics.store.onSlowStatement();
  log.warn(
    { statement: statement.replace(/\s+/g, ' '), durationMs: Math.round(durationMs) },
    'slow statement',
  );
}

/**
 * Payments are named by the journal: with a ledger of another one, a payment could find a namesake approved, and
 * with none of its own, balances would silently be 0. Throws StoreUnavailable.
 */
async function checkPair(store: WorkerStore, ledger: OwnLedger): Promise<void> {
  const { journalId, ledgerId } = await store.linkLedger(ledger.installationId);
  const isPair = ledgerId === ledger.installationId && (await ledger.linkJournal(journalId)) === journalId;
  if (isPair) return;
  throw new StoreUnavailable(
    'usher.db and ledger.db in DATA_DIR do not belong together: restore both from one backup, or begin with an empty directory',
  );
}
