/** What the lanes tell to whoever measures and logs. */
export interface LedgerObserver {
  /** An attempt to carry a batch out has ended. */
  onBatch(operations: number, durationMs: number, outcome: 'committed' | 'failed'): void;
  /** Something that should not happen; the calls it touches are tried again or rejected. */
  onFault(fault: string, error: unknown): void;
}
