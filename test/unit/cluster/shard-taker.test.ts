import { beforeEach, describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import { type ShardRecord, StoreUnavailable } from '../../../src/actors/runtime/ports.ts';
import { Advertiser } from '../../../src/cluster/advertiser.ts';
import { PersistentAsk } from '../../../src/cluster/persistent-ask.ts';
import { type Registry, RegistryUnavailable } from '../../../src/cluster/registry.ts';
import { RouteTable } from '../../../src/cluster/route-table.ts';
import { done, failed } from '../../../src/cluster/shard-order.ts';
import { ShardTaker } from '../../../src/cluster/shard-taker.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';
import { ScriptedStore } from '../actors/runtime/scripted-store.ts';
import { a, b, NotedHolds, NotedObserver, ScriptedHost, shardId, timing } from './cluster-script.ts';

const [one, two] = [shardId(1), shardId(2)];
const sealed = [{ scheduleId: 1 as ScheduleId, seq: 3, fingerprint: 99 }];

let clock: ManualClock;
let store: ScriptedStore;
let host: ScriptedHost;
let holds: NotedHolds;
let observer: NotedObserver;
let routes: RouteTable;
let advertised: string[];
let registryFault: Error | undefined;
let taker: ShardTaker;

beforeEach(() => {
  clock = new ManualClock();
  store = new ScriptedStore();
  store.shards.set(one, { epoch: 3, lastBatch: 0, owner: b });
  store.shards.set(two, { epoch: 5, lastBatch: 0, owner: b });
  host = new ScriptedHost();
  holds = new NotedHolds();
  observer = new NotedObserver();
  routes = new RouteTable();
  routes.read([{ shardId: one, epoch: 3, owner: b }]);
  advertised = [];
  registryFault = undefined;
  taker = new ShardTaker({
    instanceId: a,
    host,
    store,
    router: holds,
    routes,
    advertiser: new Advertiser({
      instanceId: a,
      registry: {
        advertise: async (shards: readonly ShardRecord[]) => {
          if (registryFault !== undefined) throw registryFault;
          advertised.push(...shards.map(({ shardId, epoch, owner }) => `${shardId} at ${epoch} of ${owner}`));
        },
      } as Registry,
      clock,
      observer,
      timing,
    }),
    ask: new PersistentAsk(clock, () => {}),
    clock,
    observer,
    timing,
  });
});

function expectOver(): void {
  expect([[...holds.held], taker.isIncoming(one), taker.isIncoming(two)]).toEqual([[], false, false]);
}

describe('preloading', () => {
  test('says when it is done, or why not', async () => {
    expect(await taker.preload({ scheduleIds: [1 as ScheduleId] })).toEqual(done);
    host.failures.preload = new StoreUnavailable('away');
    expect(await taker.preload({ scheduleIds: [2 as ScheduleId] })).toEqual(failed('away'));
    expect(host.notes).toEqual(['preload 1', 'preload 2']);
  });
});

describe('a shard that is given', () => {
  beforeEach(() => store.shards.set(one, { epoch: 4, lastBatch: 0, owner: a }));

  test('is served at once, and advertised after that', async () => {
    const served = Promise.withResolvers<void>();
    const serve = host.serve.bind(host);
    host.serve = async (shards, knownAtMs, given) => {
      await served.promise;
      return serve(shards, knownAtMs, given);
    };
    const result = taker.activate({ shardId: one, epoch: 4, sealed });
    await clock.settle();
    expect([[...holds.held], taker.isIncoming(one), advertised]).toEqual([[one], true, []]);
    expect(routes.ownerOf(one)?.owner, 'nobody is sent here').toBe(b);
    served.resolve();
    expect(await result).toEqual(done);
    expect([host.notes, advertised]).toEqual([['serve 1 at 4 sealed'], [`1 at 4 of ${a}`]]);
    expect(routes.ownerOf(one)).toEqual({ shardId: one, epoch: 4, owner: a });
    expect(clock.monotonicMs()).toBe(0);
    expectOver();
  });

  test.each([
    { given: 'has it under another name', record: { epoch: 4, lastBatch: 0, owner: b } },
    { given: 'has an older epoch', record: { epoch: 3, lastBatch: 0, owner: a } },
    { given: 'has a newer epoch', record: { epoch: 5, lastBatch: 0, owner: a } },
    { given: 'has never heard of it', record: undefined },
  ])('is checked: the store $given', async ({ record }) => {
    if (record === undefined) store.shards.delete(one);
    else store.shards.set(one, record);
    expect(await taker.activate({ shardId: one, epoch: 4, sealed })).toMatchObject({ isDone: false });
    expect([host.notes, advertised]).toEqual([[], []]);
    expectOver();
  });

  test('and is served already is not served again', async () => {
    host.served.set(one, 4);
    expect(await taker.activate({ shardId: one, epoch: 4, sealed })).toEqual(done);
    expect([host.notes, store.calls]).toEqual([[], []]);
  });

  test('twice at once is brought in once', async () => {
    const results = await Promise.all([
      taker.activate({ shardId: one, epoch: 4, sealed }),
      taker.activate({ shardId: one, epoch: 4, sealed }),
    ]);
    expect(results).toEqual([done, failed('the shard is coming in already')]);
    expect(host.notes).toHaveLength(1);
    expectOver();
  });

  test('is there already where it is served under that epoch', async () => {
    host.served.set(one, 4);
    expect(await taker.activate({ shardId: one, epoch: 4, sealed })).toEqual(done);
    expect(host.notes).toEqual([]);
  });

  test('replaces what was served under an older epoch: somebody else has had it since', async () => {
    host.served.set(one, 2);
    expect(await taker.activate({ shardId: one, epoch: 4, sealed })).toEqual(done);
    expect(host.notes).toEqual(['release 1', 'serve 1 at 4 sealed']);
  });

  test('and does not come says why, and nothing is advertised', async () => {
    host.failures.serve = new StoreUnavailable('away');
    expect(await taker.activate({ shardId: one, epoch: 4, sealed })).toEqual(failed('away'));
    expect([advertised, observer.faults]).toEqual([[], ['shards could not be brought in: away']]);
    expectOver();
  });

  test.each([
    [new RegistryUnavailable('down'), []],
    [new Error('odd'), ['advertising failed: odd']],
  ])('and can’t be advertised is served all the same (%s)', async (fault, faults) => {
    registryFault = fault;
    expect(await taker.activate({ shardId: one, epoch: 4, sealed })).toEqual(done);
    await clock.settle();
    expect(observer.faults).toEqual(faults);
  });
});

describe('shards whose owner is gone', () => {
  const order = {
    shards: [
      { shardId: one, epoch: 3 },
      { shardId: two, epoch: 5 },
    ],
  };

  test('are taken at once, and silent until their last owner answers from memory no more (I12)', async () => {
    const result = taker.claim(order);
    await clock.advance(timing.trustMs - 1);
    expect([store.shards.get(one)?.owner, host.notes, [...holds.held]]).toEqual([a, [], [one, two]]);
    expect([taker.isIncoming(one), advertised]).toEqual([true, []]);
    await clock.advance(1);
    expect(await result).toEqual(done);
    expect([host.notes, advertised.length]).toEqual([['serve 1 at 4,2 at 6'], 2]);
    expect(observer.notes).toEqual([`claim 2 of ${b},nobody`]);
    expectOver();
  });

  test('don’t wait when none of them had an owner', async () => {
    store.shards.delete(one);
    store.shards.delete(two);
    const never = { shards: order.shards.map(({ shardId }) => ({ shardId, epoch: 0 })) };
    const result = taker.claim(never);
    await clock.settle();
    expect(await result).toEqual(done);
    expect([clock.monotonicMs(), host.notes]).toEqual([0, ['serve 1 at 1,2 at 1']]);
  });

  test('wait when one of them had an owner, though the other had none', async () => {
    store.shards.delete(one);
    const result = taker.claim({ shards: [{ shardId: one, epoch: 0 }, order.shards[1]!] });
    await clock.settle();
    expect(host.notes).toEqual([]);
    await clock.advance(timing.trustMs);
    expect([await result, host.notes]).toEqual([done, ['serve 1 at 1,2 at 6']]);
  });

  test('are left to whoever has taken them first', async () => {
    store.takeAway(one);
    const result = taker.claim(order);
    await clock.advance(timing.trustMs);
    expect(await result).toEqual(done);
    expect(host.notes).toEqual(['serve 2 at 6']);
  });

  test('are nobody’s business here when all of them were taken', async () => {
    store.takeAway(one);
    store.takeAway(two);
    expect(await taker.claim(order)).toEqual(done);
    expect([host.notes, observer.notes]).toEqual([[], []]);
    expectOver();
  });

  test('and are served or coming already are left out', async () => {
    host.served.set(two, 5);
    const results = [taker.claim(order), taker.claim(order)];
    await clock.advance(timing.trustMs);
    expect(await Promise.all(results)).toEqual([done, done]);
    expect([store.count('transfer'), host.notes]).toEqual([1, ['serve 1 at 4']]);
  });

  test('and can’t be taken now are told so', async () => {
    store.transferShards = () => Promise.reject(new StoreUnavailable('away'));
    expect(await taker.claim(order)).toEqual(failed('away'));
    expect(observer.faults).toHaveLength(1);
    expectOver();
  });
});

describe('shards that the store has under this node’s name', () => {
  test('are served under a new epoch', async () => {
    store.shards.set(one, { epoch: 4, lastBatch: 0, owner: a });
    expect(await taker.resume([one, two])).toEqual(done);
    expect([host.notes, advertised]).toEqual([['serve 1 at 5'], [`1 at 5 of ${a}`]]);
    expectOver();
  });

  test('and are somebody else’s by now are not', async () => {
    expect(await taker.resume([one, two])).toEqual(done);
    expect([host.notes, advertised]).toEqual([[], []]);
    expectOver();
  });
});

describe('what is served is known to be ours from when the store was asked', () => {
  test.each<[string, 'list' | 'transfer' | 'renew', () => Promise<unknown>]>([
    ['given', 'list', () => taker.activate({ shardId: one, epoch: 4, sealed })],
    ['taken', 'transfer', () => taker.claim({ shards: [{ shardId: two, epoch: 5 }] })],
    ['found', 'renew', () => taker.resume([one])],
  ])('%s', async (_how, method, bringIn) => {
    store.shards.set(one, { epoch: 4, lastBatch: 0, owner: a });
    await clock.advance(100);
    store.hold(method);
    const result = bringIn();
    await clock.advance(70);
    store.release(method);
    await clock.advance(timing.trustMs);
    expect([await result, host.knownAtMs]).toEqual([done, [100]]);
  });
});

describe('a node that drains', () => {
  beforeEach(() => taker.refuseNew());

  test('begins with nothing new', async () => {
    expect(await taker.preload({ scheduleIds: [] })).toEqual(failed('the node drains'));
    expect(await taker.claim({ shards: [{ shardId: one, epoch: 3 }] })).toEqual(failed('the node drains'));
    expect([host.notes, store.calls]).toEqual([[], []]);
  });

  test('takes what was handed over already', async () => {
    store.shards.set(one, { epoch: 4, lastBatch: 0, owner: a });
    const result = taker.activate({ shardId: one, epoch: 4, sealed });
    expect(taker.hasIncoming).toBe(true);
    expect([await result, taker.hasIncoming]).toEqual([done, false]);
  });
});
