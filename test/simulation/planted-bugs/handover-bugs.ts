import { actor, type PlantedBug, shardGiver, shardKeeper, shardTaker } from './planted-bug.ts';

const world = 'cluster';

/** Shards that go from one node to another: what the first still does, and the second does too soon. */
export const handoverBugs: readonly PlantedBug[] = [
  {
    name: 'who has lost a shard goes on answering from memory',
    breaks: 'I12',
    world,
    edits: [
      {
        file: actor,
        find: 'return ownership.isTrusted(this.shardId) ? this.#awake : undefined;',
        replace: 'return this.#awake;',
      },
    ],
  },
  {
    name: 'an old answer of the store is trusted as if it were new',
    breaks: 'I12',
    world,
    edits: [
      {
        file: 'src/actors/runtime/ownership.ts',
        find: 'else if (epoch === shard.epoch) shard.knownAtMs = askedAtMs;',
        replace: 'else if (epoch === shard.epoch) shard.knownAtMs = this.#nowMs();',
      },
    ],
  },
  {
    name: 'a shard is trusted from when it is served, and not from when the store gave it',
    breaks: 'I12',
    world,
    edits: [
      {
        file: 'src/actors/runtime/ownership.ts',
        find: "standing: 'owned', knownAtMs: askedAtMs });",
        replace: "standing: 'owned', knownAtMs: this.#nowMs() });",
      },
    ],
  },
  {
    name: 'who takes a shard answers before its last owner has fallen silent',
    breaks: 'I12',
    world,
    edits: [
      {
        file: shardTaker,
        find: 'if (taken.some(({ epoch }) => epoch > 1)) await ask.pause(timing.trustMs);',
        replace: '',
      },
    ],
  },
  {
    name: 'who takes a shard back answers before the other has fallen silent',
    breaks: 'I12',
    world,
    edits: [{ file: shardGiver, find: 'await ask.pause(timing.trustMs);', replace: '' }],
  },
  {
    name: 'a shard is sealed while a batch is in flight',
    breaks: 'I11',
    world,
    edits: [
      {
        file: actor,
        find: "const result = await new Promise<'durable' | UnavailableCode>((resolve) => this.#whenDurable(resolve));",
        replace: "const result: string = 'durable';",
      },
    ],
  },
  {
    name: 'who gives a shard goes on deciding',
    breaks: 'I13',
    world,
    edits: [
      { file: shardKeeper, find: 'for (const actor of actors) actor.pause();', replace: '' },
      { file: shardGiver, find: 'router.hold(shardId);', replace: '' },
    ],
  },
  {
    name: 'what was decided since the preload is left out',
    breaks: 'I11',
    world,
    edits: [
      {
        file: 'src/actors/runtime/schedule-loader.ts',
        find: 'catchUp(preloaded, await this.#source.loadTail(this.#scheduleId, preloaded.seq));',
        replace: '',
      },
    ],
  },
  {
    name: 'who gives a shard keeps its memory for when it comes back',
    breaks: 'I11',
    world,
    edits: [
      { file: shardKeeper, find: 'actors.drop(actor.scheduleId);\n      actor.dismiss();', replace: '' },
    ],
  },
  {
    name: 'an order to activate is believed without asking the store',
    breaks: 'I11',
    world,
    edits: [
      {
        file: shardTaker,
        find: 'if (record?.owner !== instanceId || record.epoch !== epoch) {',
        replace: 'if (record === undefined) {',
      },
    ],
  },
  {
    name: 'epochs are counted from what was heard, not minted by the store',
    breaks: 'I13',
    world,
    edits: [
      {
        file: shardTaker,
        find: "const taken = await store.transferShards(wanted, instanceId, 'taken');",
        replace: `const taken =
          wanted[0]?.epoch === 0
            ? await store.transferShards(wanted, instanceId, 'taken')
            : wanted.map(({ shardId, epoch }) => ({ shardId, epoch: epoch + 1 }));`,
      },
    ],
  },
  {
    name: 'a shard that its giver has left half-way is forgotten',
    breaks: 'I13',
    world,
    edits: [
      {
        file: 'src/cluster/shard-watch.ts',
        find: 'if (overdue.length > 0) void taker.resume(overdue);',
        replace: '',
      },
    ],
  },
];
