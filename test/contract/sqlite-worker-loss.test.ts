import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JournalRow, StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { openSqliteStore } from '../../src/persistence/sqlite/sqlite-store.ts';
import type { WorkerStore } from '../../src/persistence/worker/worker-store.ts';
import { Prng } from '../simulation/prng.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { temporaryDirectory } from './sqlite-harness.ts';
import { batchOf, everything, shardIds } from './store-harness.ts';

/** More rows than any worker writes in the limits below. */
const hugeRows = 60_000;

/** A worker that is killed in the middle of a call: its time limit passed. */
describe('the SQLite store, when its worker is lost', () => {
  let directory: string;
  let store: WorkerStore;
  let hurried: WorkerStore;
  let rows: JournalRow[];

  beforeEach(async () => {
    directory = temporaryDirectory();
    store = await openSqliteStore({ directory });
    const journal = new ScheduleJournal(1, 1);
    for (let seat = 0; seat < hugeRows; seat++) journal.hold({ seats: [seat] });
    rows = journal.rows();
  });
  afterEach(async () => {
    await hurried.close();
    await store.close();
    rmSync(directory, { recursive: true });
  });

  async function openHurried(callLimitMs: number): Promise<void> {
    hurried = await openSqliteStore({ directory, callLimitMs, longCallLimitMs: 60_000 });
  }

  it('rejects the commit as unknown and the others as unavailable, and settles it in a new worker', async () => {
    await openHurried(20);
    const shards = await store.claimShards('a', shardIds(1));
    const batch = batchOf(1, shards, rows);
    const calls = [hurried.commit(batch), hurried.listVenues(0), hurried.projectAll()];
    const answers = await Promise.allSettled(calls);
    const reasons = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.name : 'answered'));
    expect(reasons).toEqual(['CommitOutcomeUnknown', 'StoreUnavailable', 'StoreUnavailable']);

    const resolution = await store.resolveCommit(batch);
    expect(resolution).toEqual({ outcome: 'not-committed', shards: [{ shardId: 1, epoch: 2 }] });
    expect((await hurried.loadSchedule(rows[0]!.scheduleId, everything)).tail).toEqual([]);
  });

  it('leaves no half batch, whenever it is lost', async () => {
    const prng = new Prng(3);
    const attempts = [
      { limitMs: 5, rowsMax: hugeRows },
      ...Array.from({ length: 18 }, () => ({ limitMs: prng.between(1, 30), rowsMax: 2000 })),
      { limitMs: 10_000, rowsMax: 2000 },
    ];
    const outcomes: string[] = [];
    let written = 0;
    for (const { limitMs, rowsMax } of attempts) {
      await openHurried(limitMs);
      const shards = await store.claimShards('a', shardIds(1));
      const next = rows.slice(written, written + rowsMax);
      const batch = batchOf(1, shards, next);
      const answer = await hurried.commit(batch).catch((error: Error) => error.name);
      await hurried.close();
      const { outcome } = await store.resolveCommit(batch);
      outcomes.push(outcome);
      expect(['committed', 'CommitOutcomeUnknown']).toContain(answer);
      if (answer === 'committed') expect(outcome).toBe('committed');
      if (outcome === 'committed') written += next.length;
      const { image, tail } = await store.loadSchedule(rows[0]!.scheduleId, everything);
      expect(image.projectedSeq + tail.length).toBe(written);
    }
    expect([outcomes[0], outcomes.at(-1)]).toEqual(['not-committed', 'committed']);

    // What it found committed it projects as well.
    await store.projectAll();
    expect((await store.loadSchedule(rows[0]!.scheduleId, everything)).image.projectedSeq).toBe(written);
  });

  it('is unavailable while a shell holds the write lock, and nothing of the batch is there', async () => {
    await openHurried(10_000);
    const shards = await store.claimShards('a', shardIds(1));
    const batch = batchOf(1, shards, rows.slice(0, 1));
    const shell = new DatabaseSync(join(directory, 'usher.db'));
    shell.exec('BEGIN IMMEDIATE');
    await expect(store.commit(batch)).rejects.toThrow(StoreUnavailable);
    shell.exec('ROLLBACK');
    shell.close();
    expect(await store.commit(batch)).toBe('committed');
  });
});
