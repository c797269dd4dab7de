import { expect } from 'vitest';
import { idempotencyWindowMs } from '../../src/actors/allocator/idempotency-window.ts';
import type { ScheduleId, UserId } from '../../src/actors/allocator/ids.ts';
import type { EntryPage, EntryQuery, LedgerAudit } from '../../src/actors/runtime/ledger.ts';
import { MemoryBook } from '../../src/ledger/memory/memory-book.ts';
import { emptyMemoryLedgerData } from '../../src/ledger/memory/memory-ledger-data.ts';
import { MemoryReader } from '../../src/ledger/memory/memory-reader.ts';
import type { LedgerOperation, OperationResult } from '../../src/ledger/operation.ts';
import { SeededRandom } from '../unit/actors/seeded-random.ts';
import { scheduleId, user } from './ledger-orders.ts';
import { payers, randomBatch } from './random-ledger-batch.ts';

type Eventually<T> = T | Promise<T>;

/** A book with what can be read of it. */
export interface BookUnderTest {
  apply(operations: readonly LedgerOperation[]): Eventually<readonly OperationResult[]>;
  balanceOf(userId: UserId): Eventually<number>;
  listEntries(query: EntryQuery): Eventually<EntryPage>;
  auditSchedule(scheduleId: ScheduleId): Eventually<LedgerAudit>;
}

/** Gives the book and one in memory the same random batches: they answer the same and keep the same. */
export async function expectParity(book: BookUnderTest, seed: number): Promise<void> {
  const data = emptyMemoryLedgerData();
  const memory = new MemoryBook(data);
  const reader = new MemoryReader(data);
  const apply = async (batch: readonly LedgerOperation[]) =>
    expect(await book.apply(batch)).toEqual(memory.apply(batch));
  const read = async () => {
    const found = await everythingIn(book);
    expect(found).toEqual(await everythingIn(reader));
    return found;
  };

  const random = new SeededRandom(seed);
  let nowMs = 1_700_000_000_000;
  for (let round = 0; round < 12; round++) {
    const batch = randomBatch(random, nowMs);
    await apply(batch);
    const before = await read();
    await apply(batch);
    // A lane that splits a batch sends a part of it.
    await apply(batch.slice(random.int(batch.length)));
    expect(await read()).toEqual(before);
    nowMs += random.chance(20) ? idempotencyWindowMs : random.int(10_000);
  }
  expect(data.entryCount).toBeGreaterThan(10);
}

async function everythingIn(book: Omit<BookUnderTest, 'apply'>): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const userId of payers.map(user)) {
    found.push(await book.balanceOf(userId), await book.listEntries({ userId, limit: 10_000 }));
  }
  const audit = await book.auditSchedule(scheduleId);
  expect(audit.accountFaults).toEqual([]);
  found.push([...audit.payments].sort((a, b) => a.number - b.number));
  return found;
}
