import type { MySqlOptions } from '../../mysql/mysql-options.ts';
import type { StoreNotice } from '../worker/store-procedures.ts';
import { WorkerStore } from '../worker/worker-store.ts';
import type { MySqlWorkerData } from './mysql-worker-data.ts';

interface MySqlStoreOptions {
  readonly primary: MySqlOptions;
  /** For what people browse; it may lag. Undefined: the primary. */
  readonly replica: MySqlOptions | undefined;
  /** Names this run of the process, as the owner of shards and of connections. */
  readonly holder: string;
  /** Connections for reads, of each server. */
  readonly poolMax: number;
  /** How long a call that writes tries, while the server is away. Default 6 s: long enough for one to start again. */
  readonly patienceMs?: number;
  readonly onNotice: (notice: StoreNotice) => void;
  /** A batch is on disk, or shards came: there may be something to publish. */
  readonly onCommitted?: () => void;
}

/**
 * Connects and brings the schema up to date. Rejects with StoreUnavailable, whose message is for people, when the
 * server does not answer, may not be written to, or was changed by a newer Usher.
 */
export async function openMySqlStore(options: MySqlStoreOptions): Promise<WorkerStore> {
  const { primary, replica, holder, poolMax, patienceMs = 6_000, onNotice, onCommitted } = options;
  const store = new WorkerStore({
    entry: new URL('./mysql-worker.ts', import.meta.url),
    workerData: { primary, replica, holder, poolMax, patienceMs } satisfies MySqlWorkerData,
    // Above every limit of the worker's own, which says what failed: this one replaces the worker.
    callLimitMs: 15_000,
    longCallLimitMs: 60_000,
    onNotice,
    ...(onCommitted !== undefined && { onCommitted }),
  });
  try {
    await store.opened();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}
