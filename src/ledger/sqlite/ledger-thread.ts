/** The file in DATA_DIR; the journal's is another one, so that their writers never wait for each other. */
export const ledgerFile = 'ledger.db';

/** What a thread of the ledger is told at its start. */
export interface LedgerThreadData {
  readonly directory: string;
}
