import { DatabaseSync } from 'node:sqlite';
import type { ShardId } from '../../../../src/actors/allocator/ids.ts';
import type { JournalRow } from '../../../../src/actors/runtime/ports.ts';
import { toJournalColumns } from '../../../../src/persistence/journal-columns.ts';
import type { ProjectionError } from '../../../../src/persistence/projection-error.ts';
import { Journal } from '../../../../src/persistence/sqlite/journal.ts';
import { migrations } from '../../../../src/persistence/sqlite/migrations.ts';
import { Projector } from '../../../../src/persistence/sqlite/projector.ts';
import { migrate } from '../../../../src/sqlite/migrate.ts';
import { Transactions } from '../../../../src/sqlite/transactions.ts';

/** The worker's parts on a database in memory, in the test's own thread, so that a test decides each step. */
export class TestDatabase {
  readonly db = new DatabaseSync(':memory:');
  readonly transactions: Transactions;
  readonly journal: Journal;
  readonly errors: ProjectionError[] = [];
  #batchNumber = 0;

  constructor() {
    migrate(this.db, migrations);
    this.transactions = new Transactions(this.db);
    this.journal = new Journal(this.db, this.transactions);
  }

  newProjector(): Projector {
    return new Projector(this.db, this.transactions, (error) => this.errors.push(error));
  }

  /** Commits rows of one shard, and tells the projectors. */
  commit(rows: readonly JournalRow[], ...projectors: Projector[]): void {
    const shardId = rows[0]?.shardId ?? (0 as ShardId);
    const columns = toJournalColumns(rows);
    const shards = this.journal.claimShards('test', [shardId]);
    this.#batchNumber += 1;
    this.journal.commit({ batchNumber: this.#batchNumber, shards, rows: columns });
    for (const projector of projectors) projector.noteCommitted(columns);
  }

  count(table: string): number {
    return Number(this.db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']);
  }
}
