import { beforeEach, describe, expect, test } from 'vitest';
import type {
  IdempotencyKey,
  PerformanceId,
  ScheduleId,
  VenueId,
} from '../../../../src/actors/allocator/ids.ts';
import { CatalogCache } from '../../../../src/actors/runtime/catalog-cache.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import { layoutOf } from '../hall-drawing.ts';
import { ManualClock } from './manual-clock.ts';
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

let clock: ManualClock;
let store: ScriptedStore;
let cache: CatalogCache;
beforeEach(async () => {
  clock = new ManualClock();
  store = new ScriptedStore();
  cache = new CatalogCache(store, clock);
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
  const started = new CatalogCache(store, clock);
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
    const started = new CatalogCache(store, clock);
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
  const late = expect(cache.createSchedule({ performanceId: performance(9), startsAtMs: 1 }));
  await Promise.all([late.rejects.toThrow('has a performance'), clock.advance(200)]);
  expect([store.performances.length, store.schedules.length]).toEqual([1, 0]);
});

describe('what another node creates', () => {
  /** On the same store, knowing what this one knows. */
  let other: CatalogCache;
  beforeEach(async () => {
    other = new CatalogCache(store, clock);
    await other.load();
  });

  test('is known once it is learnt, with what it belongs to', async () => {
    const venueId = await other.createVenue({ ...hall, name: 'Second hall' });
    const performanceId = await other.createPerformance({ ...show, venueId });
    const scheduleId = await other.createSchedule({ performanceId, startsAtMs: 5 });
    expect(cache.schedule(scheduleId)).toBeUndefined();
    await cache.learn();
    expect(cache.venues()).toEqual(other.venues());
    expect(cache.performances()).toEqual(other.performances());
    expect(cache.schedulesOf(performanceId)).toEqual([{ scheduleId, performanceId, startsAtMs: 5 }]);
    expect(cache.capacity(scheduleId)).toBe(5);
    expect((await cache.seatMap(scheduleId))?.seatIds.length).toBe(5);
  });

  test('is found between what was created here, in the order of ids and once', async () => {
    const creations = [cache, other, cache, other, other, cache];
    for (const [i, by] of creations.entries()) {
      await by.createVenue({ ...hall, name: `hall ${i + 2}` });
      await by.createPerformance({ ...show, name: `show ${i + 2}` });
      await by.createSchedule({ performanceId: performance(1), startsAtMs: 5 });
    }
    for (const each of [cache, other]) {
      for (let time = 0; time < 2; time++) {
        const learning = each.learn();
        await clock.advance(200);
        await learning;
        expect(each.venues().map(({ venueId }) => venueId)).toEqual([1, 2, 3, 4, 5, 6, 7]);
        expect(
          each
            .performances()
            .map(({ name }) => name)
            .slice(1),
        ).toEqual([2, 3, 4, 5, 6, 7].map((id) => `show ${id}`));
        expect(each.schedulesOf(performance(1)).map(({ scheduleId }) => scheduleId)).toEqual([
          1, 2, 3, 4, 5, 6,
        ]);
      }
    }
  });

  test('leaves the counts alone that are known here', async () => {
    const mine = await cache.createSchedule({ performanceId: performance(1), startsAtMs: 5 });
    const theirs = await other.createSchedule({ performanceId: performance(1), startsAtMs: 6 });
    store.schedules[1] = { ...store.schedules[1]!, available: 3 };
    cache.setAvailable(mine, 2);
    await cache.learn();
    expect([cache.available(mine), cache.available(theirs)]).toEqual([2, 3]);
  });

  test('can be built upon at once', async () => {
    const venueId = await other.createVenue(hall);
    const performanceId = await cache.createPerformance({ ...show, venueId });
    const schedule = other.createSchedule({ performanceId, startsAtMs: 5 });
    await clock.advance(200);
    expect(await schedule).toBe(1);
  });

  describe('is read', () => {
    beforeEach(() => {
      store.calls.length = 0;
    });
    const reads = () => store.count('catalog');

    test('once for all who ask before the read begins', async () => {
      await Promise.all([cache.learn(), cache.learn(), cache.learn()]);
      expect(reads()).toBe(1);
    });

    test('again for whoever asks while a read is under way: it may have begun too early for him', async () => {
      store.hold('catalog');
      const first = cache.learn();
      await clock.advance(50);
      expect(reads()).toBe(1);
      const venueId = await other.createVenue(hall);
      const late = [cache.learn(), cache.learn()];
      await clock.advance(1_000);
      expect(reads()).toBe(1);
      store.release('catalog');
      await first;
      await Promise.all(late);
      expect(reads()).toBe(2);
      expect(cache.venues().at(-1)?.venueId).toBe(venueId);
    });

    test('never twice within 200 ms: the later one waits', async () => {
      await cache.learn();
      await clock.advance(60);
      const late = cache.learn();
      await clock.advance(139);
      expect(reads()).toBe(1);
      await clock.advance(1);
      await late;
      expect(reads()).toBe(2);
    });

    test('5 times a second at most, however often somebody asks for what there is not', async () => {
      const asked: Promise<void>[] = [];
      for (let ms = 0; ms < 990; ms += 10) {
        asked.push(cache.learn(), cache.learn());
        await clock.advance(10);
      }
      expect(reads()).toBe(5);
      await clock.advance(200);
      await Promise.all(asked);
      expect(reads()).toBe(6);
    });

    test('in vain while the store is away, and whoever asks hears it; the next one reads again', async () => {
      const list = store.listSchedules.bind(store);
      store.listSchedules = () => Promise.reject(new StoreUnavailable('away'));
      const both = [cache.learn(), cache.learn()];
      for (const each of both) await expect(each).rejects.toThrow(StoreUnavailable);
      store.listSchedules = list;
      await other.createVenue(hall);
      const next = cache.learn();
      await clock.advance(200);
      await next;
      expect(cache.venues().length).toBe(2);
    });
  });

  describe('under a key', () => {
    const mark = { key: 'k' as IdempotencyKey, fingerprint: 7 };
    const refused = () => Promise.reject(new StoreUnavailable('the key is taken'));

    test('is the answer again for the same creation, also to those who wait for it, and is remembered', async () => {
      store.creationMarks = [{ ...mark, id: 5 }];
      const both = await Promise.all([cache.createOnce(mark, refused), cache.createOnce(mark, refused)]);
      expect(both).toEqual([
        { id: 5, replayed: true },
        { id: 5, replayed: true },
      ]);
      store.creationMarks = [];
      expect(await cache.createOnce(mark, refused)).toEqual({ id: 5, replayed: true });
      expect(await cache.createOnce({ ...mark, fingerprint: 8 }, refused)).toBe('key-reused');
    });

    test('is a reuse of the key for another creation', async () => {
      store.creationMarks = [{ ...mark, fingerprint: 8, id: 5 }];
      const both = await Promise.all([cache.createOnce(mark, refused), cache.createOnce(mark, refused)]);
      expect(both).toEqual(['key-reused', 'key-reused']);
      expect(await cache.createOnce({ ...mark, fingerprint: 8 }, refused)).toEqual({ id: 5, replayed: true });
    });

    test('is not looked for where the creation went well; what failed for another reason has failed', async () => {
      await expect(cache.createOnce(mark, refused)).rejects.toThrow('the key is taken');
      store.findCreationMark = () => Promise.reject(new StoreUnavailable('away'));
      await expect(cache.createOnce(mark, refused)).rejects.toThrow('the key is taken');
      expect(await cache.createOnce(mark, async () => 3)).toEqual({ id: 3, replayed: false });
    });
  });
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
