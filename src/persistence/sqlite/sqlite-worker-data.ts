/** What the worker is started with. */
export interface SqliteWorkerData {
  /** Holds usher.db. */
  readonly directory: string;
}
