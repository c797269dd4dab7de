import { beforeEach, describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import type { SeatWatcher } from '../../../../src/actors/runtime/shard-host.ts';
import { cancelIntent, holdIntent } from './actor-stage.ts';
import { type HostedNode, HostStage, shard } from './host-stage.ts';

const first = 1 as ScheduleId;

let stage: HostStage;
let a: HostedNode;
beforeEach(async () => {
  stage = new HostStage();
  a = await stage.owner('a');
});

describe('a node of a cluster', () => {
  test('starts without any shard, and is ready all the same', async () => {
    const b = await stage.node('b');
    expect([b.host.servedShards(), b.host.serves(shard), b.host.lostShards()]).toEqual([[], false, []]);
    expect(b.directory.notReadyReasons()).toEqual([]);
    expect(stage.store.count('claim')).toBe(0);
  });

  test('wakes what has open work when it has taken a shard', async () => {
    await a.done(holdIntent('ann', ['A1']));
    stage.store.openWork = [first];
    const b = await stage.owner('b');
    expect(b.host.awakeSchedules(shard)).toEqual([1]);
    await b.directory.confirmShards();
    const expiring = stage.clock.advance(5_000);
    await expiring;
    await b.directory.confirmShards();
    await stage.clock.advance(1_000);
    expect(stage.journal).toEqual(['1 held', '2 expired']);
  });

  test('learns of schedules that other nodes have created', async () => {
    const b = await stage.node('b');
    stage.addSchedule(3);
    await a.directory.catalog.learn();
    await a.done(holdIntent('ann', ['A1']), 3);
    await a.giveTo(b, 'b');
    expect(b.host.awakeSchedules(shard)).toEqual([3]);
  });

  test('whose shard was taken shows nothing more of it, though nobody has released it', async () => {
    await a.done(holdIntent('ann', ['A1']));
    stage.store.takeAway(shard);
    await stage.clock.advance(1);
    await a.directory.confirmShards();
    expect([a.host.serves(shard), a.host.lostShards()]).toEqual([false, [0]]);
    expect(a.directory.notReadyReasons(), 'others answer').toEqual([]);
    const answer = a.submit(holdIntent('bob', ['A1']));
    await stage.clock.settle();
    expect(answer.outcome).toMatchObject({ code: 'shard-moving', isUntouched: true });
  });
});

test('a node that stood still while a shard came to it, and was taken again, answers nothing of it (I12)', async () => {
  const b = await stage.node('b');
  const askedAtMs = stage.clock.monotonicMs();
  const given = await stage.transfer(1, 'b');
  await stage.clock.advance(30_000);
  stage.store.takeAway(shard);
  await b.host.serve(given, askedAtMs);
  const answers = [b.submit(holdIntent('ann', ['Z9'])), b.submit(holdIntent('ann', ['A1']))];
  await stage.clock.settle();
  expect(answers.map(({ outcome }) => outcome)).toEqual([
    expect.objectContaining({ code: 'shard-moving', isUntouched: true }),
    expect.objectContaining({ code: 'shard-moving', isUntouched: true }),
  ]);
  expect([b.host.lostShards(), stage.journal]).toEqual([[0], []]);
});

describe('a shard that is given away', () => {
  test('is at the other node what it was: seats, reservations, seq', async () => {
    await a.done(holdIntent('ann', ['A1']));
    await a.done(holdIntent('bob', ['A2', 'A3']));
    await a.done(cancelIntent('ann', 1));
    const b = await stage.node('b');
    const [sealed] = await a.giveTo(b, 'b');
    expect(sealed).toMatchObject({ scheduleId: 1, seq: 3 });
    expect([a.host.serves(shard), b.host.serves(shard), b.faults]).toEqual([false, true, []]);
    const answers = [
      await b.done(holdIntent('eve', ['A2'])),
      await b.done(holdIntent('eve', ['A1'])),
      await a.done(holdIntent('eve', ['A4'])),
    ];
    expect(answers.map(({ said }) => said)).toEqual(['seats-taken', 'HELD 3', 'shard-moving']);
    expect(stage.journal).toEqual(['1 held', '2 held', '3 cancelled', '4 held']);
  });

  test('is loaded ahead of time, and only what is missing after that', async () => {
    await a.done(holdIntent('ann', ['A1']));
    const b = await stage.node('b');
    await b.host.preload([first]);
    expect(b.host.awakeSchedules(shard), 'nothing is shown before its time').toEqual([]);
    await a.done(holdIntent('bob', ['A2']));
    stage.store.calls.length = 0;
    await a.giveTo(b, 'b');
    expect([stage.store.count('load'), stage.store.count('tail'), b.faults]).toEqual([0, 1, []]);
    expect((await b.done(holdIntent('eve', ['A1', 'A2']))).said).toBe('seats-taken');
  });

  test('what was loaded ahead of time is forgotten when nothing comes of it', async () => {
    await a.done(holdIntent('ann', ['A1']));
    const b = await stage.node('b');
    await b.host.preload([first]);
    await stage.clock.advance(120_000);
    expect(b.directory.stats().actors).toBe(0);
  });

  test('has calls wait in their order, and those of schedules that wake only then', async () => {
    await a.done(holdIntent('ann', ['A1']));
    await a.host.seal(shard);
    const calls = [
      a.submit(holdIntent('bob', ['A2'])),
      a.submit(holdIntent('eve', ['A2'])),
      a.submit(holdIntent('eve', ['A1']), 2),
    ];
    await stage.clock.settle();
    expect(calls.map(({ said }) => said)).toEqual(['waiting', 'waiting', 'waiting']);
    expect(stage.store.sent).toHaveLength(1);
    a.host.unseal(shard);
    await stage.clock.settle();
    expect(calls.map(({ said }) => said)).toEqual(['HELD 2', 'seats-taken', 'HELD 1']);
  });

  test('goes on under the epoch that it has risen to, if it stays', async () => {
    await a.host.seal(shard);
    const [renewed] = await stage.store.renewShards('a', [shard]);
    a.host.unseal(shard, { epoch: renewed!.epoch, knownAtMs: stage.clock.monotonicMs() });
    expect((await a.done(holdIntent('bob', ['A2']))).said).toBe('HELD 1');
    expect(stage.store.sent.at(-1)?.shards).toEqual([{ shardId: 0, epoch: renewed!.epoch }]);
  });

  test('ends no hold while it is sealed, and all that are due after it', async () => {
    await a.done(holdIntent('ann', ['A1']));
    await a.host.seal(shard);
    await stage.clock.advance(6_000);
    expect(stage.journal).toEqual(['1 held']);
    a.host.unseal(shard);
    await a.directory.confirmShards();
    await stage.clock.advance(1_000);
    expect(stage.journal).toEqual(['1 held', '2 expired']);
  });

  test('tells what waited that it has moved, and that it was not begun', async () => {
    await a.host.seal(shard);
    const waiting = [a.submit(holdIntent('ann', ['A1'])), a.submit(holdIntent('ann', ['A1']), 2)];
    a.host.release(shard);
    expect(waiting.map(({ outcome }) => outcome)).toEqual([
      expect.objectContaining({ code: 'shard-moving', isUntouched: true }),
      expect.objectContaining({ code: 'shard-moving', isUntouched: true }),
    ]);
    expect(a.directory.stats().actors).toBe(0);
  });

  test('what was decided and is not on disk is not said to be untouched', async () => {
    await a.done(holdIntent('ann', ['A1']));
    stage.store.hold('commit');
    const sent = a.submit(holdIntent('ann', ['A2']));
    await stage.clock.settle();
    const queued = a.submit(holdIntent('ann', ['A3']));
    a.host.release(shard);
    stage.store.release('commit');
    await stage.clock.settle();
    expect(sent.said, 'it had been sent').toBe('HELD 2');
    expect(queued.outcome).toEqual({ kind: 'unavailable', code: 'shard-moving', retryAfterSeconds: 1 });
    expect(stage.journal).toEqual(['1 held', '2 held']);
  });
});

test('what was decided before a shard was released is not written when it comes back (I3)', async () => {
  await a.done(holdIntent('ann', ['A1']));
  const decided = a.submit(holdIntent('ann', ['A2']));
  a.host.release(shard);
  const askedAtMs = stage.clock.monotonicMs();
  await a.host.serve(await stage.store.renewShards('a', [shard]), askedAtMs);
  await stage.clock.settle();
  expect([decided.said, stage.journal]).toEqual(['shard-moving', ['1 held']]);
});

describe('a shard is not sealed', () => {
  /** What `seal` came to, and that the shard sells here or wherever it is. */
  async function refused(sealing: Promise<unknown>): Promise<string> {
    const word = await sealing.then(
      () => 'sealed',
      (error: Error) => error.message,
    );
    expect(a.host.isSealed(shard)).toBe(false);
    return word;
  }

  test('when something was lost meanwhile: it goes on as it was', async () => {
    await a.done(holdIntent('ann', ['A1']));
    stage.store.commitSteps = ['unavailable'];
    const lost = a.submit(holdIntent('ann', ['A2']));
    expect(await refused(Promise.all([a.host.seal(shard), stage.clock.settle()]))).toMatch('was not sealed');
    const after = await a.done(holdIntent('bob', ['A2']));
    expect([lost.said, after.said]).toEqual(['store-unavailable', 'HELD 2']);
  });

  test('while a schedule that may have open holds does not recover', async () => {
    await a.done(holdIntent('ann', ['A1']));
    stage.store.commitSteps = ['unavailable'];
    a.submit(holdIntent('ann', ['A2']));
    await stage.clock.settle();
    expect(await refused(a.host.seal(shard))).toMatch('schedule 1 has not recovered');
  });

  test('where it is not served, and then it is not sealed when it comes', async () => {
    stage.store.takeAway(shard);
    await a.directory.confirmShards();
    a.host.release(shard);
    expect(await refused(a.host.seal(shard))).toMatch('not served here');
    await a.host.serve(await stage.transfer(2, 'a'), stage.clock.monotonicMs());
    expect((await a.done(holdIntent('ann', ['A1']))).said).toBe('HELD 1');
  });

  test('when it is lost while somebody waits for a payment', async () => {
    await a.done(holdIntent('ann', ['A1']));
    stage.ledger.hold();
    const payer = a.pay(1, 'ann');
    await stage.clock.settle();
    const sealing = a.host.seal(shard);
    a.host.release(shard);
    expect(await refused(sealing)).toMatch('not served here');
    expect(payer.said).toBe('shard-moving');
  });

  test('before all that has open work is in memory: the next owner would not hear of it', async () => {
    const b = await stage.node('b');
    const following = Promise.withResolvers<void>();
    stage.store.followShards = () => following.promise;
    const serving = b.host.serve(await stage.transfer(1, 'b'), stage.clock.monotonicMs());
    await expect(b.host.seal(shard)).rejects.toThrow('only just come');
    following.resolve();
    await serving;
    expect(await b.host.seal(shard)).toEqual([]);
  });
});

describe('whoever pays while a shard is sealed', () => {
  beforeEach(() => a.done(holdIntent('ann', ['A1'])));

  test('is told the end, if it comes in time', async () => {
    stage.ledger.hold();
    const payer = a.pay(1, 'ann');
    await stage.clock.settle();
    const sealing = a.host.seal(shard);
    await stage.clock.advance(199);
    stage.ledger.release();
    await stage.clock.settle();
    await sealing;
    expect([payer.said, stage.journal.at(-1)]).toEqual(['PAID 1', '3 paid']);
  });

  test('is told after a moment that it goes on, and it ends at the next owner', async () => {
    stage.ledger.hold();
    const payer = a.pay(1, 'ann');
    await stage.clock.settle();
    const b = await stage.node('b');
    const giving = a.giveTo(b, 'b');
    await stage.clock.advance(199);
    expect(payer.said).toBe('waiting');
    await stage.clock.advance(1);
    expect(payer.said).toBe('PAYING 1');
    await giving;
    stage.ledger.release();
    await stage.clock.advance(1_000);
    await b.directory.confirmShards();
    await stage.clock.advance(5_000);
    expect(stage.journal.slice(0, 3)).toEqual(['1 held', '2 paying', '3 paid']);
    expect(stage.ledger.balances.get('ann')).toBe(4_500);
  });

  test('and had only just begun, is told that it goes on as well', async () => {
    const b = await stage.node('b');
    stage.store.hold('commit');
    stage.ledger.hold();
    const payer = a.pay(1, 'ann');
    await stage.clock.settle();
    const giving = a.giveTo(b, 'b');
    await stage.clock.settle();
    stage.store.release('commit');
    await giving;
    expect([payer.said, stage.journal.at(-1)]).toEqual(['PAYING 1', '2 paying']);
  });
});

describe('a shard that does not come', () => {
  const failing: readonly (readonly [what: string, prepare: () => void])[] = [
    [
      'because its journal is not followed',
      () => {
        stage.store.followShards = () => Promise.reject(new StoreUnavailable('scripted'));
      },
    ],
    [
      'because one of its schedules does not recover',
      () => {
        stage.store.failLoads = 1;
      },
    ],
  ];

  test.each(failing)('%s: nothing of it is served', async (_what, prepare) => {
    await a.done(holdIntent('ann', ['A1']));
    await a.done(holdIntent('ann', ['A1']), 2);
    const b = await stage.node('b');
    const sealed = await a.host.seal(shard);
    const given = await stage.transfer(1, 'b');
    prepare();
    await expect(b.host.serve(given, stage.clock.monotonicMs(), sealed)).rejects.toThrow(StoreUnavailable);
    expect([b.host.serves(shard), b.host.lostShards(), b.directory.stats().actors]).toEqual([false, [], 0]);
    await stage.clock.settle();
    expect(b.host.awakeSchedules(shard)).toEqual([]);
  });

  test('leaves nobody behind who writes when it comes after all', async () => {
    await a.done(holdIntent('ann', ['A1']));
    await a.done(holdIntent('ann', ['A1']), 2);
    const b = await stage.node('b');
    const sealed = await a.host.seal(shard);
    const load = stage.store.loadSchedule.bind(stage.store);
    stage.store.loadSchedule = (id) =>
      id === 2 ? Promise.reject(new StoreUnavailable('scripted')) : load(id);
    stage.store.hold('load');
    await expect(
      b.host.serve(await stage.transfer(1, 'b'), stage.clock.monotonicMs(), sealed),
    ).rejects.toThrow(StoreUnavailable);
    stage.store.loadSchedule = load;
    stage.store.release('load');
    await stage.clock.settle();
    a.host.release(shard);
    stage.store.openWork = [first, 2 as ScheduleId];
    await b.host.serve(await stage.store.renewShards('b', [shard]), stage.clock.monotonicMs());
    await b.directory.confirmShards();
    await stage.clock.advance(4_900);
    stage.store.sent.length = 0;
    await b.directory.confirmShards();
    await stage.clock.advance(1_000);
    const rows = stage.store.sent.flatMap((batch) => batch.rows);
    expect(rows.map(({ scheduleId, type }) => `${scheduleId} ${type}`).sort()).toEqual([
      '1 expired',
      '2 expired',
    ]);
  });

  test('and has a seal or a release behind it, has nothing to do with what comes later', async () => {
    await a.host.seal(shard);
    a.host.release(shard);
    await a.host.serve(await stage.store.renewShards('a', [shard]), stage.clock.monotonicMs());
    expect((await a.done(holdIntent('ann', ['A1']))).said).toBe('HELD 1');
  });
});

describe('what comes out of the store is compared with what its giver had (I11)', () => {
  test('a difference is told; what was loaded ahead of time is loaded whole then', async () => {
    await a.done(holdIntent('ann', ['A1']));
    const b = await stage.node('b');
    await b.host.preload([first]);
    await a.done(holdIntent('ann', ['A2']));
    stage.store.loadTail = async () => [];
    await a.giveTo(b, 'b');
    expect(b.faults).toEqual([expect.stringContaining('I11: schedule 1 at seq 1 (preloaded)')]);
    expect((await b.done(holdIntent('bob', ['A2']))).said).toBe('seats-taken');
  });

  test('and in the end the store is right', async () => {
    await a.done(holdIntent('ann', ['A1']));
    const b = await stage.node('b');
    const [sealed] = await a.host.seal(shard);
    await b.host.serve(await stage.transfer(1, 'b'), stage.clock.monotonicMs(), [
      { ...sealed!, fingerprint: 1 },
    ]);
    expect(b.faults.map((fault) => /\((\w+)\)/.exec(fault)?.[1])).toEqual(['preloaded', 'whole']);
    expect((await b.done(holdIntent('bob', ['A1']))).said).toBe('seats-taken');
  });
});

describe('whoever watches the free seats of a schedule', () => {
  function watched(scheduleId = 1): { told: string[]; end: () => void } {
    const told: string[] = [];
    const watcher: SeatWatcher = {
      onStart: (view) => told.push(`${view.available} free at ${view.seq}`),
      onChange: ({ seq, taken, freed }) => told.push(`${seq} -${taken.join()} +${freed.join()}`),
      onEnd: () => told.push('end'),
    };
    return { told, end: a.host.watchSeats(scheduleId as ScheduleId, watcher) };
  }

  test('is told all of them, then each change when it is on disk, then the end', async () => {
    await a.done(holdIntent('ann', ['A1']));
    const { told } = watched();
    stage.store.hold('commit');
    a.submit(holdIntent('ann', ['A3', 'A4']));
    a.submit(cancelIntent('ann', 1));
    await stage.clock.settle();
    expect(told).toEqual(['3 free at 1']);
    stage.store.release('commit');
    await stage.clock.settle();
    expect(told).toEqual(['3 free at 1', '2 -2,3 +', '3 - +0']);
    a.host.release(shard);
    expect(told.at(-1)).toBe('end');
    expect(told).toHaveLength(4);
  });

  test('is told nothing more when it has had enough, even before it has begun', async () => {
    const asleep = watched();
    asleep.end();
    const awake = watched();
    await stage.clock.settle();
    awake.end();
    await a.done(holdIntent('ann', ['A1']));
    a.host.release(shard);
    expect([asleep.told, awake.told]).toEqual([[], ['4 free at 0']]);
  });

  test('keeps its schedule in memory', async () => {
    const { end } = watched();
    await a.directory.confirmShards();
    await stage.clock.advance(200_000);
    expect(a.directory.stats().actors).toBe(1);
    end();
    await stage.clock.advance(200_000);
    expect(a.directory.stats().actors).toBe(0);
  });

  test('hears the end at once of a schedule that there is not, or that is not here', async () => {
    expect(watched(9).told).toEqual(['end']);
    a.host.release(shard);
    const { told } = watched();
    await stage.clock.settle();
    expect(told).toEqual(['end']);
  });
});
