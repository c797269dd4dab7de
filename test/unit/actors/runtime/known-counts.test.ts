import { describe, expect, test } from 'vitest';
import type { ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import type { AvailableCounts } from '../../../../src/actors/runtime/available-counts.ts';
import { CatalogCache } from '../../../../src/actors/runtime/catalog-cache.ts';
import { KnownCounts } from '../../../../src/actors/runtime/known-counts.ts';
import { Ownership } from '../../../../src/actors/runtime/ownership.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedStore } from './scripted-store.ts';

const first = 1 as ScheduleId;
const second = 2 as ScheduleId;
const shard = (scheduleId: ScheduleId): ShardId => (scheduleId + 10) as ShardId;

/** Two schedules, each in a shard of its own, and what other nodes have told of them. */
class Stage {
  readonly store = new ScriptedStore();
  readonly ownership = new Ownership(this.store, 'node-1');
  readonly catalog = new CatalogCache(this.store, new ManualClock());
  readonly told = new Map<ScheduleId, number>();
  readonly asked: (readonly ScheduleId[])[] = [];
  readonly published: string[] = [];
  readonly counts: KnownCounts;
  /** Runs while Redis is asked. */
  meanwhile = () => {};

  constructor() {
    const available: AvailableCounts = {
      publish: (scheduleId, seq, free) => this.published.push(`${scheduleId} at ${seq}: ${free}`),
      read: async (scheduleIds) => {
        this.asked.push(scheduleIds);
        this.meanwhile();
        return new Map([...this.told].filter(([scheduleId]) => scheduleIds.includes(scheduleId)));
      },
    };
    this.counts = new KnownCounts(this.catalog, this.ownership, available, shard);
  }

  /** Starts as the owner of some schedules' shards. */
  async start(...owned: readonly ScheduleId[]): Promise<void> {
    await this.ownership.claim(owned.map(shard));
    for (const scheduleId of [first, second]) this.catalog.setAvailable(scheduleId, 100);
    this.counts.onLoaded(owned.map(shard));
  }

  async refreshed(): Promise<readonly number[]> {
    await this.counts.refresh([first, second]);
    return [first, second].map((scheduleId) => this.catalog.available(scheduleId));
  }
}

describe('counts', () => {
  test('of a node that owns all of them are its own, from the start, and nobody is asked', async () => {
    const stage = new Stage();
    await stage.start(first, second);
    stage.counts.onCount(second, 3, 97);
    expect(stage.counts.refresh([first, second])).toBeUndefined();
    expect([await stage.refreshed(), stage.asked]).toEqual([[100, 97], []]);
    expect(stage.published).toEqual(['2 at 3: 97']);
  });

  test('of others are what they told; where they told nothing, as last known', async () => {
    const stage = new Stage();
    await stage.start(first);
    expect([await stage.refreshed(), stage.asked]).toEqual([[100, 100], [[second]]]);
    stage.told.set(first, 1).set(second, 55);
    expect(await stage.refreshed()).toEqual([100, 55]);
    stage.told.clear();
    expect(await stage.refreshed()).toEqual([100, 55]);
  });

  test('of a shard that is lost are the next owner’s', async () => {
    const stage = new Stage();
    await stage.start(first, second);
    stage.counts.onCount(first, 3, 97);
    stage.ownership.markLost([shard(first)]);
    stage.told.set(first, 50);
    expect([await stage.refreshed(), stage.asked]).toEqual([[50, 100], [[first]]]);
  });

  test('of a shard that came back are others’ until its actor has told', async () => {
    const stage = new Stage();
    await stage.start(first, second);
    stage.counts.onCount(first, 3, 97);
    stage.ownership.markLost([shard(first)]);
    await stage.ownership.claim([shard(first)]);
    stage.told.set(first, 50);
    expect(await stage.refreshed()).toEqual([50, 100]);
    stage.counts.onCount(first, 60, 40);
    expect([await stage.refreshed(), stage.asked.length]).toEqual([[40, 100], 1]);
  });

  test('that an actor tells while others are asked are not overwritten', async () => {
    const stage = new Stage();
    await stage.start(second);
    stage.told.set(first, 50);
    await stage.ownership.claim([shard(first)]);
    stage.meanwhile = () => stage.counts.onCount(first, 60, 40);
    expect(await stage.refreshed()).toEqual([40, 100]);
  });

  test('that are on disk are shown and told, even in doubt about the shard', async () => {
    const stage = new Stage();
    await stage.start(first, second);
    stage.ownership.markSuspect([shard(first)]);
    stage.counts.onCount(first, 4, 96);
    expect([await stage.refreshed(), stage.published, stage.asked]).toEqual([
      [96, 100],
      ['1 at 4: 96'],
      [[first]],
    ]);
  });
});
