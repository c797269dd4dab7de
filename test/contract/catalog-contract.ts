import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IdempotencyKey, PerformanceId, VenueId } from '../../src/actors/allocator/ids.ts';
import type { VenueLayout } from '../../src/actors/allocator/venue-layout.ts';
import type { Store } from '../../src/actors/runtime/ports.ts';
import { ScheduleJournal, testStartMs } from './schedule-journal.ts';
import { Committer, type StoreHarness } from './store-harness.ts';

const hall: Omit<VenueLayout, 'venueId'> = {
  name: 'Théâtre "Ö"',
  sections: [
    {
      name: 'Stalls',
      rows: [
        {
          name: 'A',
          stageDistance: 12.5,
          seats: [
            { seatId: 'A-1', number: '1', category: 'front', gapAfter: true, x: 1.25, y: -3 },
            { seatId: 'A-2', number: '2', category: 'front' },
          ],
        },
        { name: 'B', seats: [{ seatId: 'B-1', number: '1a', category: 'rest' }] },
      ],
    },
    { name: 'Circle', rows: [{ name: 'A', seats: [{ seatId: 'C-1', number: '1', category: 'rest' }] }] },
  ],
};

const show = {
  name: 'Hamlet',
  venueId: 1 as VenueId,
  currency: 'EUR',
  prices: [
    { category: 'front', priceMinor: 9900 },
    { category: 'rest', priceMinor: 0 },
  ],
  orphanRule: true,
};

const evening = { performanceId: 1 as PerformanceId, startsAtMs: testStartMs };

/** Venues, performances and schedules. */
export function catalogContract(makeHarness: () => StoreHarness<Store>): void {
  let harness: StoreHarness<Store>;
  let store: Store;

  beforeEach(async () => {
    harness = makeHarness();
    store = await harness.open();
  });
  afterEach(async () => {
    await store.close();
    harness.dispose();
  });

  it('is empty at first', async () => {
    expect(await store.listVenues(0)).toEqual([]);
    expect(await store.listPerformances(0)).toEqual([]);
    expect(await store.listSchedules(0)).toEqual([]);
    expect(await store.loadVenue(1 as VenueId)).toBeUndefined();
  });

  it('counts ids from 1 in order of creation', async () => {
    expect([await store.createVenue(hall), await store.createVenue(hall)]).toEqual([1, 2]);
    expect([await store.createPerformance(show), await store.createPerformance(show)]).toEqual([1, 2]);
    expect([await store.createSchedule(evening), await store.createSchedule(evening)]).toEqual([1, 2]);
  });

  it('keeps what a key has made, and takes a key once', async () => {
    const mark = { key: 'k-1' as IdempotencyKey, fingerprint: 2 ** 53 - 1 };
    const venueId = await store.createVenue(hall, mark);
    await store.createPerformance(show, { ...mark, key: 'k-2' as IdempotencyKey });
    await expect(store.createSchedule(evening, mark)).rejects.toThrow();
    expect(await store.listSchedules(0)).toEqual([]);
    expect(await store.listCreationMarks()).toEqual([
      { ...mark, id: venueId },
      { ...mark, key: 'k-2', id: 1 },
    ]);
  });

  it('finds what a key has made, also after a restart', async () => {
    const mark = { key: "k'1" as IdempotencyKey, fingerprint: 2 ** 53 - 1 };
    expect(await store.findCreationMark(mark.key)).toBeUndefined();
    await store.createVenue(hall);
    await store.createVenue(hall, mark);
    expect(await store.findCreationMark(mark.key)).toEqual({ ...mark, id: 2 });
    expect(await store.findCreationMark("K'1" as IdempotencyKey)).toBeUndefined();
    await store.close();
    store = await harness.open();
    expect(await store.findCreationMark(mark.key)).toEqual({ ...mark, id: 2 });
  });

  it.each([0, 1, 2, 3, 4])('lists what came after id %i, of each kind', async (afterId) => {
    for (let i = 0; i < 3; i++) {
      await store.createVenue(hall);
      await store.createPerformance(show);
      await store.createSchedule(evening);
    }
    const after = [1, 2, 3].filter((id) => id > afterId);
    expect((await store.listVenues(afterId)).map(({ venueId }) => venueId)).toEqual(after);
    expect((await store.listPerformances(afterId)).map(({ performanceId }) => performanceId)).toEqual(after);
    expect((await store.listSchedules(afterId)).map(({ scheduleId }) => scheduleId)).toEqual(after);
  });

  it('gives a layout back as it was, and its seats in the list', async () => {
    const venueId = await store.createVenue(hall);
    expect(await store.loadVenue(venueId)).toEqual({ venueId, ...hall });
    expect(await store.listVenues(0)).toEqual([{ venueId, name: hall.name, seats: 4 }]);
  });

  it('gives performances back with and without their options', async () => {
    await store.createVenue(hall);
    await store.createPerformance(show);
    const strict = { ...show, name: 'Lear', orphanRule: false, seatsPerUserMax: 4 };
    await store.createPerformance(strict);
    const [first, second] = await store.listPerformances(0);
    expect(first).toEqual({ performanceId: 1, ...show });
    expect(first).not.toHaveProperty('seatsPerUserMax');
    expect(second).toEqual({ performanceId: 2, ...strict });
  });

  it('gives schedules back with and without their options', async () => {
    await store.createVenue(hall);
    await store.createPerformance(show);
    await store.createSchedule(evening);
    await store.createSchedule({ ...evening, onSaleAtMs: testStartMs - 5 });
    const [first, second] = await store.listSchedules(0);
    expect(first).toEqual({ scheduleId: 1, ...evening, available: 4 });
    expect(first).not.toHaveProperty('onSaleAtMs');
    expect(second).toEqual({ scheduleId: 2, ...evening, onSaleAtMs: testStartMs - 5, available: 4 });
  });

  it('counts the free seats of a schedule as projected', async () => {
    await store.createVenue(hall);
    await store.createPerformance(show);
    await store.createSchedule(evening);
    await store.createSchedule(evening);
    const committer = new Committer(store);
    await committer.claim(1);
    const journal = new ScheduleJournal(1, 1);
    const available = async () => {
      await committer.commit(...journal.newRows());
      await store.projectAll();
      return (await store.listSchedules(0)).map((schedule) => schedule.available);
    };
    const held = journal.hold({ seats: [0, 1] });
    expect(await available()).toEqual([2, 4]);
    journal.block(2, 3);
    expect(await available()).toEqual([0, 4]);
    journal.unblock(3);
    journal.extend(held, testStartMs + 1);
    expect(await available()).toEqual([1, 4]);
    journal.expire(held);
    expect(await available()).toEqual([3, 4]);
  });

  it('refuses what refers to nothing, and then uses no id for it', async () => {
    await expect(store.createPerformance(show)).rejects.toThrow();
    await expect(store.createSchedule(evening)).rejects.toThrow();
    await store.createVenue(hall);
    expect(await store.createPerformance(show)).toBe(1);
    expect(await store.createSchedule(evening)).toBe(1);
  });

  it('is all there after close and open', async () => {
    await store.createVenue(hall);
    await store.createPerformance(show);
    await store.createSchedule(evening);
    const read = async () => [
      await store.listVenues(0),
      await store.loadVenue(1 as VenueId),
      await store.listPerformances(0),
      await store.listSchedules(0),
    ];
    const before = await read();
    await store.close();
    store = await harness.open();
    expect(await read()).toEqual(before);
    expect(await store.createVenue(hall)).toBe(2);
  });

  describe('what a caller does later', () => {
    it('to an object that it gave or got does not reach the store', async () => {
      const prices = [{ category: 'front', priceMinor: 1 }];
      await store.createVenue(hall);
      await store.createPerformance({ ...show, prices });
      prices.push({ category: 'late', priceMinor: 2 });
      const [performance] = await store.listPerformances(0);
      expect(performance?.prices).toEqual([{ category: 'front', priceMinor: 1 }]);
    });
  });
}
