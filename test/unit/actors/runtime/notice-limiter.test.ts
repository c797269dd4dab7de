import { beforeEach, describe, expect, it } from 'vitest';
import { NoticeLimiter } from '../../../../src/actors/runtime/notice-limiter.ts';
import { ManualClock } from './manual-clock.ts';

describe('NoticeLimiter', () => {
  let clock: ManualClock;
  let limiter: NoticeLimiter;

  beforeEach(() => {
    clock = new ManualClock();
    limiter = new NoticeLimiter(clock);
  });

  it('lets the same through once a minute', async () => {
    let told = 0;
    for (let second = 0; second < 180; second++) {
      told += Number(limiter.admits('connection refused'));
      await clock.advance(1000);
    }
    expect(told).toBe(3);
  });

  it('takes for the same what differs in numbers only', () => {
    const told = [9000, 9001, 9002].map((port) => limiter.admits(`127.0.0.1:${port} failed`));
    expect(told).toEqual([true, false, false]);
  });

  it('lets through what differs, or is of another subject', () => {
    const told = ['one', 'another', 'one'].map((notice) => limiter.admits(notice));
    const ofSubjects = ['a:1', 'a:2', 'a:1'].map((subject) => limiter.admits('it has failed', subject));
    expect([told, ofSubjects]).toEqual([
      [true, true, false],
      [true, true, false],
    ]);
  });

  it('remembers few: what it has forgotten is told again', () => {
    for (let i = 0; i <= 100; i++) expect(limiter.admits('it has failed', `node ${i}`)).toBe(true);
    expect(limiter.admits('it has failed', 'node 100')).toBe(false);
    expect(limiter.admits('it has failed', 'node 0')).toBe(true);
  });
});
