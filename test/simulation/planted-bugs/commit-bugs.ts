import { actor, groupCommit, memoryStore, ownership, type PlantedBug } from './planted-bug.ts';

/** Batches that fail, batches of unknown outcome, and the fence that keeps lost ones out. */
export const commitBugs: readonly PlantedBug[] = [
  {
    name: 'a failed batch leaves memory as it is',
    breaks: 'I6',
    edits: [{ file: groupCommit, find: 'member.onLost();', replace: '' }],
  },
  {
    name: 'later batches of a lost actor are sent all the same',
    breaks: 'I6',
    edits: [{ file: groupCommit, find: 'this.#removeFromQueue(lost, code);', replace: '' }],
  },
  {
    name: 'an unknown outcome is taken for a commit',
    breaks: 'I2',
    edits: [
      {
        file: groupCommit,
        find: 'if (error instanceof StoreUnavailable) throw error;',
        replace: "if (error instanceof StoreUnavailable) throw error;\n      return 'committed';",
      },
    ],
  },
  {
    name: 'an unknown outcome is taken for a failure, and the epoch stays',
    breaks: 'I6',
    edits: [
      {
        file: groupCommit,
        find: 'if (error instanceof StoreUnavailable) throw error;',
        replace: 'if (error instanceof Error) throw error;',
      },
    ],
  },
  {
    name: 'a shard in doubt is read without shutting the lost batch out',
    breaks: 'I6',
    edits: [
      {
        file: groupCommit,
        find: '} catch (error) {\n      this.#ownership.markSuspect(shardIds);',
        replace: '} catch (error) {',
      },
    ],
  },
  {
    name: 'a batch that is known not to have landed is taken for a commit',
    breaks: 'I2',
    edits: [
      {
        file: groupCommit,
        find: "return resolution.outcome === 'committed' ? 'committed' : 'again';",
        replace: "return 'committed';",
      },
    ],
  },
  {
    name: 'a suspect shard is taken back from whoever has it by now',
    breaks: 'I6',
    edits: [
      {
        file: ownership,
        find: 'this.#store.renewShards(this.#owner, [shardId])',
        replace: 'this.#store.claimShards(this.#owner, [shardId])',
      },
    ],
  },
  {
    name: 'an actor goes to sleep with a batch in flight',
    breaks: 'I6',
    edits: [{ file: actor, find: 'this.newestBatch === undefined &&\n', replace: '' }],
  },
  {
    name: 'the store lets a stale epoch commit',
    breaks: 'I3',
    edits: [
      {
        file: memoryStore,
        find: 'return shard?.epoch !== epoch || shard.lastBatch >= batchNumber;',
        replace: 'return shard === undefined || epoch === 0 || shard.lastBatch >= batchNumber;',
      },
    ],
  },
  {
    name: 'the store settles a lost batch without raising the epoch',
    breaks: 'I6',
    edits: [{ file: memoryStore, find: 'shard.epoch += 1;', replace: '' }],
  },
  {
    name: 'the store forgets which batch was the last',
    breaks: 'I6',
    edits: [
      {
        file: memoryStore,
        find: 'this.data.shards.get(shardId)!.lastBatch = batchNumber;',
        replace: 'this.data.shards.get(shardId)!.lastBatch = 0;',
      },
    ],
  },
  {
    name: 'the store keeps half a batch',
    breaks: 'I2',
    edits: [
      {
        file: memoryStore,
        find: 'for (const row of rows) {',
        replace: 'for (const row of rows.slice(0, Math.ceil(rows.length / 2))) {',
      },
    ],
  },
  {
    name: 'the projection keeps the seats of an ended hold',
    breaks: 'I11',
    edits: [
      {
        file: 'src/persistence/memory/memory-projection.ts',
        find: 'reservation.endedAtMs = event.atMs;',
        replace: 'reservation.endedAtMs = 0;',
      },
    ],
  },
];
