import type { MySqlOptions } from '../../mysql/mysql-options.ts';

/** What the worker is started with. */
export interface MySqlWorkerData {
  readonly primary: MySqlOptions;
  /** For what people browse; undefined: the primary. */
  readonly replica: MySqlOptions | undefined;
  /** Names this run of the process. */
  readonly holder: string;
  /** Connections for reads, of each server. */
  readonly poolMax: number;
  /** How long a call that writes tries, while another attempt may go better. */
  readonly patienceMs: number;
}
