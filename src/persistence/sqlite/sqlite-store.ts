import type { StoreNotice } from '../worker/store-procedures.ts';
import { WorkerStore } from '../worker/worker-store.ts';
import type { SqliteWorkerData } from './sqlite-worker-data.ts';

interface SqliteStoreOptions {
  /** Holds usher.db; must exist and be locked by this process (data-directory-lock.ts). */
  readonly directory: string;
  /** A call that takes longer fails, and its worker is replaced. Default 10 s. */
  readonly callLimitMs?: number;
  /** The same for calls that read or project whole schedules. Default 60 s. */
  readonly longCallLimitMs?: number;
  /** What the store tells people. Default: ignored. */
  readonly onNotice?: (notice: StoreNotice) => void;
  /** A batch is on disk. */
  readonly onCommitted?: () => void;
}

/**
 * Opens or creates the file and brings its schema up to date. Rejects with StoreUnavailable, whose message
 * is for people, when the file cannot be opened or was written by a newer Usher.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<WorkerStore> {
  const { directory, callLimitMs = 10_000, longCallLimitMs = 60_000, onCommitted } = options;
  const store = new WorkerStore({
    entry: new URL('./sqlite-worker.ts', import.meta.url),
    workerData: { directory } satisfies SqliteWorkerData,
    callLimitMs,
    longCallLimitMs,
    onNotice: options.onNotice ?? (() => {}),
    ...(onCommitted !== undefined && { onCommitted }),
  });
  await store.opened();
  return store;
}
