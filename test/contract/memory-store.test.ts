import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/persistence/memory/memory-store.ts';
import { Prng } from '../simulation/prng.ts';
import { foldedImage, foldJournal, foldStored } from './journal-fold.ts';
import { memoryHarness } from './memory-harness.ts';
import { RandomJournalWriter } from './random-journal.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { storeContract } from './store-contract.ts';
import { Committer, everything } from './store-harness.ts';

storeContract('the memory store', memoryHarness);

describe('the memory store, for a simulation', () => {
  async function storeWith(journal: ScheduleJournal): Promise<MemoryStore> {
    const store = new MemoryStore();
    const committer = new Committer(store);
    await committer.claim(journal.shardId);
    await committer.commit(...journal.newRows());
    return store;
  }

  it('projects as many events as it is told, and the image is the journal up to there', async () => {
    const journal = new ScheduleJournal(1, 1);
    new RandomJournalWriter(journal, new Prng(5)).write(60);
    const store = await storeWith(journal);
    for (let projected = 0; projected <= 60; projected++) {
      const stored = await store.loadSchedule(journal.scheduleId, everything);
      expect(foldedImage(stored.image)).toEqual(foldJournal(journal.rows().slice(0, projected)));
      expect(foldStored(stored)).toEqual(foldJournal(journal.rows()));
      expect(store.projectSome(1)).toBe(projected < 60 ? 1 : 0);
    }
  });

  it('a crash leaves what was committed: another store on the same data', async () => {
    const journal = new ScheduleJournal(1, 1);
    journal.hold();
    const crashed = await storeWith(journal);
    const restarted = new MemoryStore(crashed.data);
    expect((await restarted.loadSchedule(journal.scheduleId, everything)).tail).toEqual(journal.rows());
    expect(await restarted.claimShards('next', [journal.shardId])).toEqual([{ shardId: 1, epoch: 2 }]);
  });

  it('takes the effect of a call before it returns', () => {
    const store = new MemoryStore();
    void store.claimShards('a', [new ScheduleJournal(1, 1).shardId]);
    expect([...store.data.shards.values()]).toEqual([{ epoch: 1, owner: 'a', lastBatch: 0 }]);
  });
});
