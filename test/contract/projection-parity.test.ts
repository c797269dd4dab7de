import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/persistence/memory/memory-store.ts';
import { Prng } from '../simulation/prng.ts';
import { RandomJournalWriter } from './random-journal.ts';
import { ScheduleJournal, testStartMs } from './schedule-journal.ts';
import { sqliteHarness } from './sqlite-harness.ts';
import { Committer } from './store-harness.ts';

const rounds = 6;
const eventsPerRoundMax = 400;

/** Random histories project to the same image in both stores, column by column. `SEED=n` runs another one. */
describe('memory and SQLite', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

  it(`project a random history alike (SEED=${seed})`, async () => {
    const prng = new Prng(seed);
    const harness = sqliteHarness();
    const stores = [new MemoryStore(), await harness.open()];
    const committers = stores.map((store) => new Committer(store));
    for (const committer of committers) await committer.claim(1, 2);
    const journals = [new ScheduleJournal(1, 1), new ScheduleJournal(2, 2)];
    const writers = journals.map((journal) => new RandomJournalWriter(journal, prng));
    for (let round = 0; round < rounds; round++) {
      for (const writer of writers) writer.write(prng.below(eventsPerRoundMax));
      const rows = journals.flatMap((journal) => journal.newRows());
      for (const committer of committers) await committer.commit(...rows);
      for (const store of stores) await store.projectAll();
      for (const { scheduleId, nowMs } of journals) {
        const since = {
          endedSinceMs: testStartMs + prng.below(nowMs - testStartMs + 1),
          markedSinceMs: testStartMs + prng.below(nowMs - testStartMs + 1),
        };
        const [memory, sqlite] = await Promise.all(
          stores.map((store) => store.loadSchedule(scheduleId, since)),
        );
        expect(sqlite).toEqual(memory);
      }
    }
    for (const store of stores) await store.close();
    harness.dispose();
  });
});
