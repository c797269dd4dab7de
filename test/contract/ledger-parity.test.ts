import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { idempotencyWindowMs } from '../../src/actors/allocator/idempotency-window.ts';
import { MemoryBook } from '../../src/ledger/memory/memory-book.ts';
import { emptyMemoryLedgerData } from '../../src/ledger/memory/memory-ledger-data.ts';
import { MemoryReader } from '../../src/ledger/memory/memory-reader.ts';
import type { LedgerOperation } from '../../src/ledger/operation.ts';
import { AuditRows } from '../../src/ledger/sqlite/audit-rows.ts';
import { ledgerMigrations } from '../../src/ledger/sqlite/ledger-migrations.ts';
import { PointsRows } from '../../src/ledger/sqlite/points-rows.ts';
import { SqliteBook } from '../../src/ledger/sqlite/sqlite-book.ts';
import { migrate } from '../../src/sqlite/migrate.ts';
import { SeededRandom } from '../unit/actors/seeded-random.ts';
import { cardOrder, pointsCharge, pointsOrder, scheduleId, user } from './ledger-orders.ts';

const payers = ['ann', 'bob', 'cem', 'dan', 'eva'];

/** Few payers, payments and keys, so that operations meet. A number decides payer, amount and method. */
function randomOperation(random: SeededRandom, nowMs: number): LedgerOperation {
  const number = random.between(1, 40);
  const payer = payers[number % payers.length]!;
  const amount = (number * 37) % 300;
  const card = cardOrder(number, payer, amount);
  const order = number % 3 === 0 ? card : pointsOrder(number, payer, amount);
  switch (random.int(6)) {
    case 0:
    case 1: {
      const charge = pointsCharge(
        random.pick(payers),
        random.between(1, 3) * 100,
        `key-${random.int(8)}`,
        nowMs,
      );
      return { kind: 'charge', charge };
    }
    case 2:
      return { kind: 'cancel-unless-begun', order, atMs: nowMs };
    default:
      return order === card
        ? { kind: 'open-card', order: card, atMs: nowMs }
        : { kind: 'pay-by-points', order, atMs: nowMs };
  }
}

/** What may follow on a payment that the ledger knows. */
function randomSequel(
  random: SeededRandom,
  beginning: LedgerOperation,
  nowMs: number,
): LedgerOperation | undefined {
  if (beginning.kind === 'charge') return undefined;
  const { order } = beginning;
  if (order.method === 'card' && random.chance(60)) {
    const result = random.pick([
      { status: 'APPROVED', reference: `ch-${order.number}` },
      { status: 'DECLINED', declineCode: 'expired_card' },
      { status: 'CANCELLED' },
    ] as const);
    return { kind: 'close-card', order, result, atMs: nowMs };
  }
  return {
    kind: 'refund',
    order,
    reference: random.chance(50) ? `re-${order.number}` : undefined,
    atMs: nowMs,
  };
}

function randomBatch(random: SeededRandom, nowMs: number): LedgerOperation[] {
  return Array.from({ length: random.between(1, 25) }, () => {
    const beginning = randomOperation(random, nowMs);
    const sequel = random.chance(40) ? randomSequel(random, beginning, nowMs) : undefined;
    return sequel === undefined ? [beginning] : [beginning, sequel];
  }).flat();
}

/** Both books, given the same batches. */
class Pair {
  readonly data = emptyMemoryLedgerData();
  readonly #memory = new MemoryBook(this.data);
  readonly #memoryReader = new MemoryReader(this.data);
  readonly #db = new DatabaseSync(':memory:');
  readonly #sqlite: SqliteBook;

  constructor() {
    migrate(this.#db, ledgerMigrations);
    this.#sqlite = new SqliteBook(this.#db);
  }

  apply(batch: readonly LedgerOperation[]): void {
    expect(this.#sqlite.apply(batch)).toEqual(this.#memory.apply(batch));
  }

  /** Everything that can be read, the same from both. */
  async read(): Promise<unknown> {
    const points = new PointsRows(this.#db);
    const inSqlite: unknown[] = [];
    const inMemory: unknown[] = [];
    for (const userId of payers.map(user)) {
      const query = { userId, limit: 10_000 };
      inSqlite.push(points.balanceOf(userId), points.listEntries(query));
      inMemory.push(await this.#memoryReader.balanceOf(userId), await this.#memoryReader.listEntries(query));
    }
    const [sqliteAudit, memoryAudit] = [
      new AuditRows(this.#db).auditSchedule(scheduleId),
      await this.#memoryReader.auditSchedule(scheduleId),
    ];
    for (const [side, audit] of [
      [inSqlite, sqliteAudit],
      [inMemory, memoryAudit],
    ] as const) {
      expect(audit.accountFaults).toEqual([]);
      side.push([...audit.payments].sort((a, b) => a.number - b.number));
    }
    expect(inSqlite).toEqual(inMemory);
    return inMemory;
  }

  close(): void {
    this.#db.close();
  }
}

describe('the books in SQLite and in memory answer the same and keep the same', () => {
  const seeds = Array.from({ length: 60 }, (_, i) => i + 1);

  it.each(seeds)('whatever comes, and what is applied again changes nothing: seed %i', async (seed) => {
    const random = new SeededRandom(seed);
    const pair = new Pair();
    let nowMs = 1_700_000_000_000;
    for (let round = 0; round < 12; round++) {
      const batch = randomBatch(random, nowMs);
      pair.apply(batch);
      const before = await pair.read();
      pair.apply(batch);
      // A lane that splits a batch sends a part of it.
      pair.apply(batch.slice(random.int(batch.length)));
      expect(await pair.read()).toEqual(before);
      nowMs += random.chance(20) ? idempotencyWindowMs : random.int(10_000);
    }
    expect(pair.data.entryCount).toBeGreaterThan(10);
    pair.close();
  });
});
