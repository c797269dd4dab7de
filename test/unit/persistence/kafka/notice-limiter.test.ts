import { beforeEach, describe, expect, it } from 'vitest';
import { NoticeLimiter } from '../../../../src/persistence/kafka/notice-limiter.ts';
import type { PublisherNotice } from '../../../../src/persistence/kafka/publisher-notice.ts';
import { ManualClock } from '../../actors/runtime/manual-clock.ts';

describe('NoticeLimiter', () => {
  let clock: ManualClock;
  let told: PublisherNotice[];
  let limiter: NoticeLimiter;

  beforeEach(() => {
    clock = new ManualClock();
    told = [];
    limiter = new NoticeLimiter(clock, (notice) => told.push(notice));
  });
  const warn = (message: string) => limiter.tell({ kind: 'warning', message });

  it('tells the same once a minute', async () => {
    for (let second = 0; second < 180; second++) {
      warn('connection refused');
      await clock.advance(1000);
    }
    expect(told.length).toBe(3);
  });

  it('takes for the same what differs in numbers only', () => {
    for (let attempt = 0; attempt < 10; attempt++)
      warn(`attempt ${attempt} at 127.0.0.1:${9000 + attempt} failed`);
    expect(told).toEqual([{ kind: 'warning', message: 'attempt 0 at 127.0.0.1:9000 failed' }]);
  });

  it('tells what differs', () => {
    warn('one');
    warn('another');
    limiter.tell({ kind: 'fault', fault: 'one', message: 'a' });
    limiter.tell({ kind: 'fault', fault: 'one', message: 'b' });
    limiter.tell({ kind: 'connected' });
    expect(told.length).toBe(5);
  });

  it('remembers few: what it has forgotten is told again', () => {
    const word = (i: number) => String.fromCharCode(97 + Math.floor(i / 26), 97 + (i % 26));
    for (let i = 0; i < 60; i++) warn(word(i));
    expect(told.length).toBe(60);
    warn(word(59));
    expect(told.length).toBe(60);
    warn(word(0));
    expect(told.length).toBe(61);
  });
});
