import { beforeEach, describe, expect, test } from 'vitest';
import type {
  IdempotencyKey,
  PerformanceId,
  ScheduleId,
  VenueId,
} from '../../../../src/actors/allocator/ids.ts';
import { CatalogCache } from '../../../../src/actors/runtime/catalog-cache.ts';
import { layoutOf } from '../hall-drawing.ts';
import { ScriptedStore } from './scripted-store.ts';

const { venueId: _venueId, ...hall } = layoutOf([{ name: 'stalls', rows: ['pp', 'ppp'] }]);
const show = {
  name: 'Show',
  venueId: 1 as VenueId,
  currency: 'EUR',
  prices: [{ category: 'p', priceMinor: 500 }],
  orphanRule: false,
};
const performance = (id: number): PerformanceId => id as PerformanceId;
const schedule = (id: number): ScheduleId => id as ScheduleId;

let store: ScriptedStore;
let cache: CatalogCache;
beforeEach(async () => {
  store = new ScriptedStore();
  cache = new CatalogCache(store);
  await cache.createVenue(hall);
  await cache.createPerformance(show);
});

test('what is created is known at once, and stored', async () => {
  const scheduleId = await cache.createSchedule({ performanceId: performance(1), startsAtMs: 5 });
  expect(cache.venues()).toEqual([{ venueId: 1, name: 'Drawn hall', seats: 5 }]);
  expect(cache.performances()).toEqual([{ ...show, performanceId: 1 }]);
  expect(cache.performance(performance(1))?.name).toBe('Show');
  expect(cache.schedule(scheduleId)).toEqual({ scheduleId: 1, performanceId: 1, startsAtMs: 5 });
  expect([cache.capacity(scheduleId), cache.available(scheduleId)]).toEqual([5, 5]);
  expect([store.venues.length, store.performances.length, store.schedules.length]).toEqual([1, 1, 1]);
});

test('what was created before is known after a start', async () => {
  await store.createSchedule({ performanceId: performance(1), startsAtMs: 5 });
  store.schedules[0] = { ...(store.schedules[0] as (typeof store.schedules)[0]), available: 3 };
  const started = new CatalogCache(store);
  await started.load();
  expect(started.venues()).toEqual(cache.venues());
  expect(started.performances()).toEqual(cache.performances());
  expect([started.capacity(schedule(1)), started.available(schedule(1))]).toEqual([5, 3]);
  expect(started.schedulesOf(performance(1))).toEqual([{ scheduleId: 1, performanceId: 1, startsAtMs: 5 }]);
});

describe('a creation under a key', () => {
  const mark = { key: 'k' as IdempotencyKey, fingerprint: 7 };
  const other = { ...mark, fingerprint: 8 };

  test('is made once, also by two at the same time, and after a start', async () => {
    let made = 0;
    const create = async () => ++made;
    const both = await Promise.all([cache.createOnce(mark, create), cache.createOnce(mark, create)]);
    expect(both).toEqual([
      { id: 1, replayed: false },
      { id: 1, replayed: true },
    ]);
    store.creationMarks = [{ ...mark, id: 5 }];
    const started = new CatalogCache(store);
    await started.load();
    expect(await started.createOnce(mark, create)).toEqual({ id: 5, replayed: true });
    expect(made).toBe(1);
  });

  test('that means something else is refused; one that failed can be tried again', async () => {
    await expect(cache.createOnce(mark, () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await cache.createOnce(mark, async () => 3)).toEqual({ id: 3, replayed: false });
    expect(await cache.createOnce(other, async () => 4)).toBe('key-reused');
  });
});

test('schedules of a performance come by their start, equal ones by their id', async () => {
  for (const startsAtMs of [30, 10, 20, 10]) {
    await cache.createSchedule({ performanceId: performance(1), startsAtMs });
  }
  expect(cache.schedulesOf(performance(1)).map(({ scheduleId }) => scheduleId)).toEqual([2, 4, 3, 1]);
});

test('what there is not', async () => {
  expect(cache.performance(performance(9))).toBeUndefined();
  expect(cache.schedule(schedule(9))).toBeUndefined();
  expect(cache.schedulesOf(performance(9))).toEqual([]);
  expect([cache.capacity(schedule(9)), cache.available(schedule(9))]).toEqual([0, 0]);
  expect(await cache.seatMap(schedule(9))).toBeUndefined();
  expect(await cache.venueLayout(9 as VenueId)).toBeUndefined();
});

test('the edge has checked that what something belongs to exists', async () => {
  await expect(cache.createPerformance({ ...show, venueId: 9 as VenueId })).rejects.toThrow('has a venue');
  await expect(cache.createSchedule({ performanceId: performance(9), startsAtMs: 1 })).rejects.toThrow(
    'has a performance',
  );
  expect([store.performances.length, store.schedules.length]).toEqual([1, 0]);
});

test('the number of free seats is what the actor said last', async () => {
  const scheduleId = await cache.createSchedule({ performanceId: performance(1), startsAtMs: 5 });
  cache.setAvailable(scheduleId, 2);
  expect(cache.available(scheduleId)).toBe(2);
});

describe('compiled halls', () => {
  beforeEach(async () => {
    await cache.createSchedule({ performanceId: performance(1), startsAtMs: 5 });
    await cache.createSchedule({ performanceId: performance(1), startsAtMs: 6 });
  });

  test('are compiled once for all schedules of a venue, however many ask at once', async () => {
    const maps = await Promise.all([1, 2, 1].map((id) => cache.seatMap(schedule(id))));
    expect(maps[0]?.seatIds).toEqual(['A1', 'A2', 'B1', 'B2', 'B3']);
    expect(maps[1]).toBe(maps[0]);
    expect(maps[2]).toBe(maps[0]);
    expect(store.count('venue')).toBe(1);
  });

  test('a store that fails is asked again', async () => {
    const loadVenue = store.loadVenue.bind(store);
    store.loadVenue = () => Promise.reject(new Error('down'));
    await expect(cache.seatMap(schedule(1))).rejects.toThrow('down');
    store.loadVenue = loadVenue;
    expect(await cache.seatMap(schedule(1))).toBeDefined();
  });

  test('the 32 used last are kept', async () => {
    for (let venue = 2; venue <= 33; venue++) {
      const venueId = await cache.createVenue(hall);
      const performanceId = await cache.createPerformance({ ...show, venueId });
      await cache.createSchedule({ performanceId, startsAtMs: 1 });
    }
    const scheduleOfVenue = (venue: number) => schedule(venue === 1 ? 1 : venue + 1);
    for (let venue = 1; venue <= 32; venue++) await cache.seatMap(scheduleOfVenue(venue));
    await cache.seatMap(scheduleOfVenue(1));
    expect(store.count('venue')).toBe(32);
    await cache.seatMap(scheduleOfVenue(33));
    await cache.seatMap(scheduleOfVenue(1));
    expect(store.count('venue'), 'venue 1 was used later than venue 2').toBe(33);
    await cache.seatMap(scheduleOfVenue(2));
    expect(store.count('venue')).toBe(34);
  });
});
