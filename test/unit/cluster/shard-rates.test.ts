import { describe, expect, test } from 'vitest';
import type { ShardId } from '../../../src/actors/allocator/ids.ts';
import { ShardRates } from '../../../src/cluster/shard-rates.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';

const shard = (value: number): ShardId => value as ShardId;

class Stage {
  readonly clock = new ManualClock();
  readonly rates = new ShardRates(this.clock, 4);

  /** Asks `perSecond` of the shard for so long, evenly, and looks after each `lookMs`. */
  async ask(shardId: ShardId, perSecond: number, forMs: number, lookMs = 500): Promise<void> {
    for (let passedMs = 0; passedMs < forMs; passedMs += lookMs) {
      for (let count = 0; count < (perSecond * lookMs) / 1_000; count++) this.rates.count(shardId);
      await this.clock.advance(lookMs);
      this.rates.requestsPerSecond(shardId);
    }
  }
}

describe('the rate of a shard', () => {
  test('is what is asked of it, after a while, and of no other', async () => {
    const stage = new Stage();
    const { rates } = stage;
    expect(rates.requestsPerSecond(shard(2))).toBe(0);
    await stage.ask(shard(2), 40, 100_000);
    expect(rates.requestsPerSecond(shard(2))).toBeCloseTo(40, 0);
    expect([0, 1, 3].map((other) => rates.requestsPerSecond(shard(other)))).toEqual([0, 0, 0]);
  });

  test('is half of it after 10 s, and half again 10 s after the last', async () => {
    const stage = new Stage();
    await stage.ask(shard(0), 40, 10_000);
    expect(stage.rates.requestsPerSecond(shard(0))).toBeCloseTo(20, 6);
    await stage.clock.advance(10_000);
    expect(stage.rates.requestsPerSecond(shard(0))).toBeCloseTo(10, 6);
  });

  test('does not depend on how often somebody looks', async () => {
    const [often, seldom] = [new Stage(), new Stage()];
    await often.ask(shard(1), 40, 4_000, 50);
    await seldom.ask(shard(1), 40, 4_000, 4_000);
    const expected = 40 * (1 - 2 ** -0.4);
    expect(often.rates.requestsPerSecond(shard(1))).toBeCloseTo(expected, 6);
    expect(seldom.rates.requestsPerSecond(shard(1))).toBeCloseTo(expected, 6);
  });

  test('counts what was asked between two looks at one moment', async () => {
    const { clock, rates } = new Stage();
    await clock.advance(1_000);
    rates.count(shard(0));
    const before = rates.requestsPerSecond(shard(0));
    for (let count = 0; count < 10; count++) rates.count(shard(0));
    expect(rates.requestsPerSecond(shard(0))).toBe(before);
    await clock.advance(1_000);
    expect(rates.requestsPerSecond(shard(0))).toBeGreaterThan(5 * before);
  });
});
