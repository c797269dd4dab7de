import { beforeEach, describe, expect, test } from 'vitest';
import type { ShardId } from '../../../src/actors/allocator/ids.ts';
import type { ShardRecord } from '../../../src/actors/runtime/ports.ts';
import type { LiveMove } from '../../../src/cluster/registry.ts';
import { RouteTable } from '../../../src/cluster/route-table.ts';
import { done } from '../../../src/cluster/shard-order.ts';
import { ShardWatch } from '../../../src/cluster/shard-watch.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';
import { a, b, c, NotedHolds, NotedObserver, ScriptedHost, shardId } from './cluster-script.ts';

const resumeAfterMs = 3_000;
const [one, two] = [shardId(1), shardId(2)];

let clock: ManualClock;
let host: ScriptedHost;
let holds: NotedHolds;
let observer: NotedObserver;
let routes: RouteTable;
let giving: ShardId[];
let incoming: ShardId[];
let resumed: ShardId[][];
let watch: ShardWatch;

beforeEach(() => {
  clock = new ManualClock();
  host = new ScriptedHost();
  holds = new NotedHolds();
  observer = new NotedObserver();
  routes = new RouteTable();
  giving = [];
  incoming = [];
  resumed = [];
  watch = new ShardWatch({
    instanceId: a,
    host,
    routes,
    router: holds,
    giver: { liveMoves: () => giving.map((id) => ({ shardId: id }) as LiveMove) },
    taker: {
      isIncoming: (id) => incoming.includes(id),
      resume: async (ids) => {
        resumed.push([...ids]);
        return done;
      },
    },
    clock,
    observer,
    resumeAfterMs,
  });
});

const owned = (shard: ShardId, owner: string, epoch = 1): ShardRecord => ({ shardId: shard, owner, epoch });

/** The store says the same so often, each time after a while. */
async function say(records: readonly ShardRecord[], forMs: number): Promise<void> {
  for (let passed = 0; passed < forMs; passed += 500) {
    watch.onRecords(records);
    await clock.advance(500);
  }
  watch.onRecords(records);
}

test('what the store says is where calls are sent, and those who wait hear of it', () => {
  routes.hear([owned(one, c, 9)]);
  watch.onRecords([owned(one, b), owned(two, b)]);
  expect([routes.ownerOf(one)?.owner, holds.changed]).toEqual([b, [[one, two]]]);
  watch.onRecords([owned(one, b, 2), owned(two, c, 2)]);
  expect(holds.changed.at(-1)).toEqual([two]);
});

test('a shard that was lost is released, and told', () => {
  host.served.set(one, 1);
  host.lost = [one];
  watch.onRecords([owned(one, b, 2)]);
  expect([host.notes, observer.notes, holds.changed]).toEqual([['release 1'], ['lost 1'], [[one, one]]]);
  watch.onRecords([owned(one, b, 2)]);
  expect(observer.notes, 'once').toHaveLength(1);
});

test('a shard that has just been given away is no loss: its giver sees to it', () => {
  host.served.set(one, 1);
  host.lost = [one];
  giving.push(one);
  watch.onRecords([owned(one, b, 2)]);
  expect([host.notes, observer.notes, routes.ownerOf(one)?.owner]).toEqual([[], [], b]);
  giving.length = 0;
  watch.onRecords([owned(one, b, 2)]);
  expect(host.notes, 'unless it has not').toEqual(['release 1']);
});

describe('a shard under this node’s name that nobody serves', () => {
  test('is brought in when it has been so for a while, once', async () => {
    await say([owned(one, a), owned(two, a)], resumeAfterMs - 500);
    expect(resumed).toEqual([]);
    await clock.advance(500);
    watch.onRecords([owned(one, a), owned(two, a)]);
    expect(resumed).toEqual([[one, two]]);
    await say([owned(one, a)], resumeAfterMs - 500);
    expect(resumed, 'which takes time').toHaveLength(1);
    await say([owned(one, a)], 500);
    expect(resumed.at(-1), 'and may have failed').toEqual([one]);
  });

  test.each<[string, () => void]>([
    ['is served', () => host.served.set(one, 1)],
    ['is being given away', () => giving.push(one)],
    ['is on its way in', () => incoming.push(one)],
  ])('but %s, is left alone', async (_what, given) => {
    given();
    await say([owned(one, a)], 2 * resumeAfterMs);
    expect(resumed).toEqual([]);
  });

  test('is not when it is another’s, and its time begins anew after that', async () => {
    await say([owned(one, a)], resumeAfterMs - 500);
    await say([owned(one, b, 2)], 1_000);
    await say([owned(one, a, 3)], resumeAfterMs - 500);
    expect(resumed).toEqual([]);
    await say([owned(one, a, 3)], 500);
    expect(resumed).toEqual([[one]]);
  });
});
