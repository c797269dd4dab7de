import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommitOutcomeUnknown } from '../../../src/actors/runtime/ports.ts';
import { Abandoned, Transactions } from '../../../src/sqlite/transactions.ts';

describe('Transactions', () => {
  let db: DatabaseSync;
  let transactions: Transactions;

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    db.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB)');
    transactions = new Transactions(db);
  });
  afterEach(() => db.close());

  const ids = () =>
    db
      .prepare('SELECT id FROM item')
      .all()
      .map(({ id }) => id);
  const insert = (id: number) => db.prepare('INSERT INTO item (id) VALUES (?)').run(id);
  const level = () => db.prepare('PRAGMA synchronous').get()?.['synchronous'];

  it('commits and hands the result on', () => {
    expect(transactions.durable(() => insert(1).changes)).toBe(1);
    expect(ids()).toEqual([1]);
    expect(db.isTransaction).toBe(false);
  });

  it('waits for the disk in a durable transaction only, in any order', () => {
    const [normal, full] = [1, 2];
    expect(transactions.durable(level)).toBe(full);
    expect(transactions.rebuildable(level)).toBe(normal);
    expect(transactions.rebuildable(level)).toBe(normal);
    expect(transactions.durable(level)).toBe(full);
  });

  it('is durable again after a rebuildable one that failed', () => {
    const fail = () => {
      throw new Error('no');
    };
    expect(() => transactions.rebuildable(fail)).toThrow('no');
    expect(transactions.durable(level)).toBe(2);
  });

  it('rolls back what work abandons, and hands its value on', () => {
    const abandon = () => {
      insert(1);
      return new Abandoned('fenced');
    };
    expect(transactions.durable(abandon)).toBe('fenced');
    expect(ids()).toEqual([]);
    expect(db.isTransaction).toBe(false);
  });

  it('rolls back and throws on what work throws', () => {
    const twice = () => {
      insert(1);
      insert(1);
    };
    expect(() => transactions.durable(twice)).toThrow(/UNIQUE/);
    expect(ids()).toEqual([]);
    expect(transactions.durable(() => insert(1).changes)).toBe(1);
  });

  it('survives a full disk', () => {
    db.exec('PRAGMA max_page_count = 10');
    const fill = () => {
      for (let id = 0; id < 100; id++) db.prepare('INSERT INTO item VALUES (?, zeroblob(4000))').run(id);
    };
    expect(() => transactions.durable(fill)).toThrow(/full/);
    expect(ids()).toEqual([]);
    expect(transactions.durable(() => insert(1).changes)).toBe(1);
  });

  it('a COMMIT that fails with the transaction still open is certain: it is rolled back', () => {
    db.exec('CREATE TABLE part (item INTEGER REFERENCES item DEFERRABLE INITIALLY DEFERRED)');
    const orphan = () => db.exec('INSERT INTO part VALUES (77)');
    let thrown: unknown;
    try {
      transactions.durable(orphan);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Error);
    expect(thrown).not.toBeInstanceOf(CommitOutcomeUnknown);
    expect(db.isTransaction).toBe(false);
    expect(db.prepare('SELECT * FROM part').all()).toEqual([]);
  });

  it('a COMMIT that fails with the transaction gone is not: SQLite gave it up after it began to write', () => {
    const ioError = new Error('disk I/O error');
    const failing = {
      isTransaction: false,
      exec() {},
      prepare: (sql: string) => ({
        run() {
          if (sql === 'COMMIT') throw ioError;
        },
      }),
    } as unknown as DatabaseSync;
    let thrown: unknown;
    try {
      new Transactions(failing).durable(() => 'written');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CommitOutcomeUnknown);
    expect((thrown as Error).cause).toBe(ioError);
  });
});
