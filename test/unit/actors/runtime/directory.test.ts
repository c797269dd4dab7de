import { describe, expect, test } from 'vitest';
import type { ReservationNumber, ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import { AvailabilityView } from '../../../../src/actors/runtime/availability-view.ts';
import { user } from '../allocator/schedule-script.ts';
import { cancelIntent, holdIntent } from './actor-stage.ts';
import { DirectoryStage } from './directory-stage.ts';

const first = 1 as ScheduleId;

describe('starting', () => {
  test('claims every shard once, then wakes the schedules with open work', async () => {
    const stage = new DirectoryStage();
    stage.store.openWork = [2 as ScheduleId];
    expect(stage.directory.notReadyReasons()).toEqual(['the node is starting']);
    await stage.directory.start();
    await stage.clock.settle();
    expect(stage.store.calls.slice(0, 3)).toEqual(['claim', 'catalog', 'open-work']);
    expect([...stage.store.shards.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([stage.store.count('load'), stage.directory.stats().actors]).toEqual([1, 1]);
    expect(stage.directory.notReadyReasons()).toEqual([]);
  });

  test('fails where the store does', async () => {
    const stage = new DirectoryStage();
    stage.store.claimShards = () => Promise.reject(new Error('down'));
    await expect(stage.directory.start()).rejects.toThrow('down');
    expect(stage.directory.notReadyReasons()).toEqual(['the node is starting']);
  });
});

test('a node whose shard somebody else has taken is not ready, for as long as it runs', async () => {
  const stage = await DirectoryStage.started();
  await stage.availability(1);
  stage.store.takeAway(stage.directory.shardOf(1 as ScheduleId));
  const answer = stage.submit(1, holdIntent('ann', ['A1']));
  await stage.clock.advance(60_000);
  expect(answer.said).toBe('shard-moving');
  expect(stage.directory.notReadyReasons()).toEqual(['another process has taken over 1 of its shards']);
});

describe('a schedule that there is not', () => {
  test('is not found, by any way of asking', async () => {
    const stage = await DirectoryStage.started();
    const missing = 9 as ScheduleId;
    expect(stage.submit(9, holdIntent('ann', ['A1'])).said).toBe('not-found');
    expect(stage.read(9, 1, 'ann').said).toBe('not-found');
    const failure = { failure: 'not-found', retryAfterSeconds: 1 };
    expect(await stage.availability(9)).toEqual(failure);
    expect(await stage.directory.countSeats(missing)).toEqual(failure);
    expect(await stage.directory.audit(missing)).toEqual(failure);
    expect(stage.directory.stats().actors).toBe(0);
  });
});

describe('terms', () => {
  test('prices go by the name of the category, whatever their order', async () => {
    const stage = await DirectoryStage.started();
    const answer = stage.submit(1, holdIntent('ann', ['A3', 'A1']));
    await stage.clock.settle();
    expect(answer.outcome).toMatchObject({ view: { totalMinor: 1_200, expiresAtMs: 1_005_000 } });
  });

  test("the performance's limit and rule go before the process's", async () => {
    const stage = await DirectoryStage.started(
      { seatsPerUserMax: 3 },
      { seatsPerUserMax: 2, orphanRule: true },
    );
    const answers = [
      stage.submit(1, holdIntent('ann', ['A1', 'A2', 'A3'])),
      stage.submit(1, holdIntent('ann', ['A2', 'A3'])),
    ];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['seat-limit-exceeded', 'orphan-seat']);
  });

  test("the process's limit holds where the performance has none", async () => {
    const stage = await DirectoryStage.started({ seatsPerUserMax: 1 });
    const answer = stage.submit(1, holdIntent('ann', ['A1', 'A2']));
    await stage.clock.settle();
    expect(answer.said).toBe('seat-limit-exceeded');
  });

  test('a schedule whose venue is not in the store can’t be served', async () => {
    const stage = await DirectoryStage.started();
    stage.store.venues.length = 0;
    const answer = stage.submit(1, holdIntent('ann', ['A1']));
    await stage.clock.settle();
    expect(answer.said).toBe('store-unavailable');
    expect(stage.faults[0]).toContain('schedule 1 has no venue in the store');
  });
});

describe('reads', () => {
  test('free seats: the same view until the actor leaves, and the count for the dates', async () => {
    const stage = await DirectoryStage.started();
    const view = await stage.availability(1);
    stage.submit(1, holdIntent('ann', ['A1']));
    await stage.clock.settle();
    expect(await stage.availability(1)).toBe(view);
    if (!(view instanceof AvailabilityView)) throw new Error('the schedule can be read');
    expect([view.seq, view.toSeatIdsJson()]).toEqual([1, '["A2","A3"]']);
    expect(stage.directory.catalog.available(first)).toBe(2);
  });

  test('other nodes are told what is on disk, with its seq, and asked of what is not our own', async () => {
    const stage = await DirectoryStage.started();
    const both = [first, 2 as ScheduleId];
    const shown = () => both.map((scheduleId) => stage.directory.catalog.available(scheduleId));
    stage.submit(1, holdIntent('ann', ['A1', 'A2']));
    await stage.clock.settle();
    stage.submit(1, cancelIntent('ann', 1));
    await stage.clock.settle();
    expect(stage.published).toEqual(['1 at 0: 3', '1 at 1: 1', '1 at 2: 3']);
    expect([stage.directory.refreshAvailable(both), shown()]).toEqual([undefined, [3, 3]]);
    // Somebody else takes the shard, and our next batch finds out.
    stage.store.commitSteps = ['fenced'];
    stage.submit(1, holdIntent('ann', ['A1']));
    await stage.clock.settle();
    await stage.directory.refreshAvailable(both);
    expect([stage.published.length, shown()]).toEqual([3, [77, 3]]);
  });

  test('a store that is down is told, and free seats are shown when it is back', async () => {
    const stage = await DirectoryStage.started();
    stage.store.failLoads = 1;
    expect(await stage.availability(1)).toEqual({ failure: 'store-unavailable', retryAfterSeconds: 1 });
    expect(await stage.availability(1)).toMatchObject({ seq: 0, available: 3 });
  });

  test('counts and an audit of a schedule', async () => {
    const stage = await DirectoryStage.started();
    stage.submit(1, holdIntent('ann', ['A1']));
    const counts = stage.directory.countSeats(first);
    const checks = stage.directory.audit(first);
    await stage.clock.settle();
    expect(await counts).toMatchObject({ seq: 1, free: 2, held: 1 });
    const results = await checks;
    expect(results).toSatisfy((list) => Array.isArray(list) && list.length > 0 && list.every(({ ok }) => ok));
  });

  test('an audit of a store that fails', async () => {
    const stage = await DirectoryStage.started();
    await stage.availability(1);
    stage.store.failLoads = 1;
    const failure = { failure: 'store-unavailable', retryAfterSeconds: 1 };
    expect(await stage.directory.audit(first)).toEqual(failure);
  });

  test('a reservation that the actor has forgotten comes from the projection, to its user alone', async () => {
    const stage = await DirectoryStage.started();
    const number = 5 as ReservationNumber;
    const stored = {
      scheduleId: first,
      number,
      userId: user('ann'),
      status: 'CANCELLED',
      seats: [0],
      totalMinor: 500,
      heldAtMs: 1,
      expiresAtMs: 2,
      endedAtMs: 3,
      paidAtMs: 0,
      seq: 9,
    } as const;
    stage.store.stored.set('1-5', { ...stored, paymentSeq: 0 });
    const answers = [stage.read(1, 5, 'ann'), stage.read(1, 5, 'bob'), stage.read(1, 6, 'ann')];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['CANCELLED 5', 'not-found', 'not-found']);
    expect(answers[0]?.outcome).toEqual({
      kind: 'reservation',
      view: { ...stored, asOfMs: 1_000_000 },
      replayed: false,
    });
  });

  test('a projection that can’t be read', async () => {
    const stage = await DirectoryStage.started();
    stage.store.findReservation = () => Promise.reject(new Error('down'));
    const answer = stage.read(1, 5, 'ann');
    await stage.clock.settle();
    expect(answer.said).toBe('store-unavailable');
  });
});

describe('actors come and go', () => {
  test('one a schedule, made on first use', async () => {
    const stage = await DirectoryStage.started();
    for (const scheduleId of [1, 2, 1]) stage.submit(scheduleId, holdIntent('ann', ['A1']));
    await stage.clock.settle();
    expect(stage.directory.stats()).toEqual({
      actors: 2,
      mailboxDepth: 0,
      heldSeats: 2,
      openHolds: 2,
      openPayments: 0,
    });
  });

  test('an idle one leaves, with its holds all ended, and comes back with what it knew', async () => {
    const stage = await DirectoryStage.started();
    stage.submit(1, holdIntent('ann', ['A1']));
    stage.submit(2, { kind: 'block', seatIds: ['A1'] });
    await stage.clock.advance(4_000);
    expect(stage.directory.stats().actors).toBe(2);
    await stage.clock.advance(76_000);
    expect(stage.directory.stats().actors).toBe(0);
    const answer = stage.submit(2, holdIntent('ann', ['A1']));
    await stage.clock.settle();
    expect(answer.said).toBe('seats-taken');
    expect(stage.clock.delaysMs, 'the sweep alone').toHaveLength(1);
  });

  test('one that is used stays', async () => {
    const stage = await DirectoryStage.started();
    for (let turn = 0; turn < 10; turn++) {
      stage.submit(1, holdIntent('ann', ['Z1']));
      await stage.clock.advance(20_000);
    }
    expect(stage.store.count('load')).toBe(1);
  });
});

describe('stopping', () => {
  test('answers everything that was accepted, then closes the store', async () => {
    const stage = await DirectoryStage.started();
    stage.store.hold('load');
    stage.store.hold('commit');
    const asleep = stage.submit(1, holdIntent('ann', ['A1']));
    const stopped = stage.directory.stop();
    await stage.clock.settle();
    expect([asleep.said, stage.store.count('close')]).toEqual(['waiting', 0]);
    stage.store.release('load');
    await stage.clock.settle();
    expect([asleep.said, stage.store.count('close')]).toEqual(['waiting', 0]);
    stage.store.release('commit');
    await stage.clock.settle();
    await stopped;
    expect([asleep.said, stage.store.calls.at(-1)]).toEqual(['HELD 1', 'close']);
    expect(stage.clock.delaysMs, 'no timer is left').toEqual([]);
  });

  test('refuses what comes later', async () => {
    const stage = await DirectoryStage.started();
    const stopped = stage.directory.stop();
    expect(stage.submit(1, cancelIntent('ann', 1)).said).toBe('not-ready');
    expect(stage.directory.notReadyReasons()).toEqual(['the node is stopping']);
    await stopped;
  });

  test('waits for the batches that are under way', async () => {
    const stage = await DirectoryStage.started();
    await stage.availability(1);
    stage.store.hold('commit');
    const answers = [stage.submit(1, holdIntent('ann', ['A1']))];
    await stage.clock.settle();
    answers.push(stage.submit(1, holdIntent('ann', ['A2'])));
    const stopped = stage.directory.stop();
    stage.store.release('commit');
    await stage.clock.settle();
    await stopped;
    expect(answers.map(({ said }) => said)).toEqual(['HELD 1', 'HELD 2']);
  });
});
