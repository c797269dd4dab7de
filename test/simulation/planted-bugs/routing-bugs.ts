import { type PlantedBug, shardRouter } from './planted-bug.ts';

const world = 'cluster';

/** Calls on their way to the owner of their schedule. */
export const routingBugs: readonly PlantedBug[] = [
  {
    name: 'a call that comes twice is carried out twice',
    breaks: 'at-most-once',
    world,
    edits: [
      {
        file: 'src/cluster/served-channel.ts',
        find: 'if (id <= this.#lastId) return false;',
        replace: '',
      },
    ],
  },
  {
    name: 'a call without a key is sent again when nobody has answered',
    breaks: 'at-most-once',
    world,
    edits: [
      {
        file: shardRouter,
        find: "if (result.failure === 'not-sent' || isRepeatable(pending.call)) this.#park(pending);",
        replace: "if ('failure' in result) this.#park(pending);",
      },
    ],
  },
  {
    name: 'a call that may have begun is told to be untouched',
    breaks: 'at-most-once',
    world,
    edits: [
      {
        file: shardRouter,
        find: "else pending.answer(unavailable('shard-moving'));",
        replace: "else pending.answer(untouched('shard-moving'));",
      },
    ],
  },
  {
    name: 'calls that wait for an owner are forgotten when there is one',
    breaks: 'one-answer',
    world,
    edits: [
      {
        file: shardRouter,
        find: "observer.onParked('routed', nowMs - pending.arrivedAtMs);\n      this.#attempt(pending);",
        replace: "observer.onParked('routed', nowMs - pending.arrivedAtMs);",
      },
    ],
  },
  {
    name: 'a call is sent on for as long as nobody takes it',
    breaks: 'I13',
    world,
    edits: [{ file: shardRouter, find: 'if (pending.hops >= hopsMax)', replace: 'if (pending.hops >= 99)' }],
  },
  {
    name: 'a copy of the free seats misses changes',
    breaks: 'no-bug-caught',
    world,
    edits: [
      {
        file: 'src/cluster/seat-copy.ts',
        find: 'if (this.#view === undefined) this.#early.push(message);',
        replace: 'if (this.#view === undefined) return;',
      },
      {
        file: 'src/cluster/seat-copy.ts',
        find: 'if (change.seq === view.seq + 1) view.apply(change);',
        replace: 'if (change.seq > view.seq) view.apply(change);',
      },
    ],
  },
];
