import type { MySqlOptions } from '../../mysql/mysql-options.ts';
import type { LedgerOperation } from '../operation.ts';

/** What the thread of the lanes is told at its start. */
export interface LaneThreadData {
  readonly mysql: MySqlOptions;
  /** The run of a process whose lanes these are. */
  readonly holder: string;
}

export interface LaneBatch {
  readonly lane: number;
  readonly operations: readonly LedgerOperation[];
}

/** What the thread posts by itself. */
export interface SlowStatement {
  readonly statement: string;
  readonly durationMs: number;
}
