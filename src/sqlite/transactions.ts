import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CommitOutcomeUnknown } from '../actors/runtime/ports.ts';

/** What `work` returns to have its transaction rolled back and `value` handed on. */
export class Abandoned<T> {
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }
}

type Durability = 'FULL' | 'NORMAL';

/**
 * Every write of the worker's connection goes through here. Owns the connection's `synchronous` level.
 *
 * An error of `work` rolls everything back and is thrown on. An error of COMMIT is certain only while the
 * transaction is still open: then it is rolled back and thrown on as well. Otherwise SQLite has given the
 * transaction up, but its frames may lie complete in the WAL and come back after a crash: CommitOutcomeUnknown.
 */
export class Transactions {
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  #durability: Durability | undefined;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** On disk when it returns (I2). */
  durable<T>(work: () => T | Abandoned<T>): T {
    return this.#run('FULL', work);
  }

  /**
   * Consistent, but not yet on disk when it returns: for what can be made again from the journal. No fsync;
   * the next durable transaction's fsync of the WAL covers every frame before it.
   */
  rebuildable<T>(work: () => T | Abandoned<T>): T {
    return this.#run('NORMAL', work);
  }

  #run<T>(durability: Durability, work: () => T | Abandoned<T>): T {
    this.#use(durability);
    this.#begin.run();
    let result: T | Abandoned<T>;
    try {
      result = work();
    } catch (error) {
      this.#rollBack();
      throw error;
    }
    if (result instanceof Abandoned) {
      this.#rollBack();
      return result.value;
    }
    this.#commitOrSettle();
    return result;
  }

  #commitOrSettle(): void {
    try {
      this.#commit.run();
    } catch (error) {
      if (this.#db.isTransaction) {
        this.#rollBack();
        throw error;
      }
      throw new CommitOutcomeUnknown('COMMIT failed', { cause: error });
    }
  }

  /** SQLite rolls back by itself after some errors (a full disk, for one). */
  #rollBack(): void {
    if (this.#db.isTransaction) this.#rollback.run();
  }

  /** By exec: SQLite carries this PRAGMA out when it is compiled, so a prepared one does nothing when run again. */
  #use(durability: Durability): void {
    if (durability === this.#durability) return;
    this.#db.exec(`PRAGMA synchronous = ${durability}`);
    this.#durability = durability;
  }
}
