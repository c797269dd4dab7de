import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommitOutcomeUnknown, StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import { MySqlFault } from '../../../../src/mysql/mysql-fault.ts';
import { Outage, unavailableOf, withPatience } from '../../../../src/persistence/mysql/patience.ts';

const fault = (kind: 'again' | 'reconnect' | 'unavailable', message = 'what it said') =>
  new MySqlFault(kind, message, {});

describe('withPatience', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** The times of the attempts; each takes `takesMs` and fails with what it is given, in turn, and then goes well. */
  function attempts(takesMs: number, ...faults: readonly Error[]) {
    const startedMs = performance.now();
    const atMs: number[] = [];
    const attempt = async () => {
      atMs.push(performance.now() - startedMs);
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
      const failure = faults[atMs.length - 1];
      if (failure !== undefined) throw failure;
      return 'done';
    };
    return { attempt, atMs };
  }

  const settled = async (promise: Promise<unknown>) => {
    const outcome = promise.catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    return outcome;
  };

  it.each(['again', 'reconnect'] as const)(
    'tries what is worth another try (%s), at once and then later and later',
    async (kind) => {
      const { attempt, atMs } = attempts(0, ...Array(7).fill(fault(kind)));
      expect(await settled(withPatience(6_000, attempt))).toBe('done');
      expect(atMs).toEqual([0, 0, 20, 70, 170, 370, 770, 1_170]);
    },
  );

  it('ends at once what no other attempt can help', async () => {
    const { attempt, atMs } = attempts(0, fault('again'), fault('unavailable', 'the disk is full'));
    const outcome = await settled(withPatience(6_000, attempt));
    expect(outcome).toBeInstanceOf(StoreUnavailable);
    expect(outcome).toMatchObject({ message: 'the disk is full', cause: expect.any(MySqlFault) });
    expect(atMs.length).toBe(2);
  });

  it('begins no attempt after its time, and says what the last one failed with', async () => {
    const { attempt, atMs } = attempts(1_000, ...Array(9).fill(fault('reconnect')));
    const startedMs = performance.now();
    const outcome = await settled(withPatience(3_000, attempt));
    expect(outcome).toBeInstanceOf(StoreUnavailable);
    expect(atMs.length).toBe(3);
    expect(performance.now() - startedMs).toBeLessThanOrEqual(3_100);
  });

  describe('of calls that wait behind each other', () => {
    const down = () => attempts(1_000, ...Array(99).fill(fault('reconnect')));
    let outage: Outage;
    beforeEach(() => {
      outage = new Outage();
    });

    it('is over with the first of them: the others try once, while the outage lasts', async () => {
      await settled(withPatience(3_000, down().attempt, outage));
      for (let call = 0; call < 9; call++) {
        const { attempt, atMs } = down();
        expect(await settled(withPatience(3_000, attempt, outage))).toBeInstanceOf(StoreUnavailable);
        expect(atMs).toEqual([0]);
      }
    });

    it('begins anew after one that went well, and a while after the last fault', async () => {
      await settled(withPatience(3_000, down().attempt, outage));
      expect(await settled(withPatience(3_000, attempts(0).attempt, outage))).toBe('done');
      const next = down();
      await settled(withPatience(3_000, next.attempt, outage));
      expect(next.atMs.length).toBe(3);
      await vi.advanceTimersByTimeAsync(11_000);
      const later = down();
      await settled(withPatience(3_000, later.attempt, outage));
      expect(later.atMs.length).toBe(3);
    });

    it('counts from a fault that was noted elsewhere, and not from what is tried again at once', async () => {
      const locked = attempts(500, ...Array(3).fill(fault('again')));
      expect(await settled(withPatience(6_000, locked.attempt, outage))).toBe('done');
      expect(outage.sinceMs).toBe(Number.POSITIVE_INFINITY);
      outage.noteFault(performance.now() - 2_500);
      const { attempt, atMs } = down();
      await settled(withPatience(3_000, attempt, outage));
      expect(atMs).toEqual([0]);
    });
  });

  it.each([new CommitOutcomeUnknown('lost'), new TypeError('a bug')])(
    '%s is thrown on as it is, and not tried again',
    async (error) => {
      const { attempt, atMs } = attempts(0, error);
      expect(await settled(withPatience(6_000, attempt))).toBe(error);
      expect(atMs.length).toBe(1);
    },
  );
});

describe('unavailableOf', () => {
  it('has the words of the fault, and leaves what is unavailable already', () => {
    const error = unavailableOf(fault('reconnect'));
    expect(error).toMatchObject({ name: 'StoreUnavailable', message: 'what it said' });
    expect(unavailableOf(error)).toBe(error);
  });
});
