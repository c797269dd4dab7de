import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerOverloaded, LedgerUnavailable } from '../../../src/actors/runtime/ledger.ts';
import { ThreadPool } from '../../../src/ledger/thread-pool.ts';
import { systemClock } from '../../../src/system-clock.ts';
import type * as WaitingThread from './waiting-thread.ts';

describe('a pool of one thread whose procedures are asynchronous', () => {
  let pool: ThreadPool<typeof WaitingThread>;
  let messages: unknown[];

  beforeEach(() => {
    messages = [];
    pool = new ThreadPool({
      entry: new URL('./waiting-thread.ts', import.meta.url),
      work: { kind: 'asynchronous', callsAtOnce: 3 },
      threadData: undefined,
      callLimitMs: 5_000,
      callsMax: 4,
      clock: systemClock,
      onFault: () => {},
      onMessage: (message) => messages.push(message),
    });
  });
  afterEach(() => pool.close());

  it('has calls under way beside each other, and bounds those that wait', async () => {
    await pool.run('waitFor', 0);
    const startedMs = performance.now();
    const calls = Array.from({ length: 4 }, () => pool.run('waitFor', 300));
    await expect(pool.run('waitFor', 0)).rejects.toThrow(LedgerOverloaded);
    const threads = await Promise.all(calls.slice(0, 3));
    expect(new Set(threads).size).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(850);
    // The fourth had to wait for one of them.
    await calls[3];
    expect(performance.now() - startedMs).toBeGreaterThan(590);
  });

  it('rejects what throws with its reason, and nothing else', async () => {
    const other = pool.run('waitFor', 20);
    await expect(pool.run('fail', 'no luck')).rejects.toThrow(new LedgerUnavailable('no luck'));
    expect(await other).toBeGreaterThan(0);
  });

  it('hands on what the thread says by itself', async () => {
    await pool.run('tell', 'a word');
    await expect.poll(() => messages).toEqual(['a word']);
  });

  it('ends a thread that stands still, with all of its calls, and goes on with another', async () => {
    const before = await pool.run('waitFor', 0);
    const beside = pool.run('waitFor', 60_000);
    const [late, lost] = await Promise.allSettled([pool.run('spin', undefined, 200), beside]);
    expect(late).toMatchObject({ reason: { message: 'no answer from the ledger within 200 ms' } });
    expect(lost).toMatchObject({ reason: expect.any(LedgerUnavailable) });
    const after = await pool.run('waitFor', 0);
    expect(after).not.toBe(before);
  });
});
