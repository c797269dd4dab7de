import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import { ProjectionLoop } from '../../../../src/persistence/mysql/projection-loop.ts';
import type { ProjectionError } from '../../../../src/persistence/projection-error.ts';

const chunk = 2_000;
const chunkTakesMs = 80;
const schedule = 1 as ScheduleId;

/** One schedule, a chunk of which takes 80 ms. */
class FakeProjector {
  committed = 0;
  projected = 0;
  failure: Error | undefined;
  error: ProjectionError | undefined;
  readonly startedAtMs: number[] = [];

  get backlogEvents(): number {
    return this.error === undefined ? this.committed - this.projected : 0;
  }
  async projectChunk(): Promise<void> {
    this.startedAtMs.push(performance.now());
    await new Promise((resolve) => setTimeout(resolve, chunkTakesMs));
    if (this.failure !== undefined) throw this.failure;
    this.projected = Math.min(this.committed, this.projected + chunk);
  }
  currentTargets(): Map<ScheduleId, number> {
    return new Map(this.backlogEvents > 0 ? [[schedule, this.committed]] : []);
  }
  isSettled(_scheduleId: ScheduleId, seq: number): boolean {
    return this.projected >= seq || this.error !== undefined;
  }
  firstError(): ProjectionError | undefined {
    return this.error;
  }
}

describe('ProjectionLoop', () => {
  let projector: FakeProjector;
  let loop: ProjectionLoop;
  let faults: string[];
  let asked: number;
  let unknown: Error | undefined;
  let startMs: number;

  beforeEach(() => {
    vi.useFakeTimers();
    startMs = performance.now();
    projector = new FakeProjector();
    faults = [];
    asked = 0;
    unknown = undefined;
    loop = new ProjectionLoop(
      projector,
      async () => {
        asked += 1;
        if (unknown !== undefined) throw unknown;
      },
      ({ message }) => faults.push(message),
    );
  });
  afterEach(async () => {
    const stopped = loop.stop();
    await vi.runAllTimersAsync();
    await stopped;
    vi.useRealTimers();
  });

  const starts = () => projector.startedAtMs.map((ms) => ms - startMs);
  /** From one chunk's beginning to the next one's. */
  const gaps = () =>
    starts()
      .slice(1)
      .map((ms, i) => ms - starts()[i]!);
  // A timer of 0 ms fires after 1.
  const withoutRest = chunkTakesMs + 1;
  const commit = (events: number) => {
    projector.committed += events;
    loop.noteCommit();
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it('waits a moment for more before it begins', async () => {
    commit(1);
    await pass(60);
    commit(1);
    await pass(39);
    expect(starts()).toEqual([]);
    await pass(1);
    expect(starts()).toEqual([100]);
    await pass(1_000);
    expect(projector.projected).toBe(2);
    expect(starts()).toEqual([100]);
  });

  it('takes a tenth of the time while commits flow', async () => {
    projector.committed = 40_000;
    for (let ms = 0; ms < 4_000; ms += 20) {
      commit(1);
      await pass(20);
    }
    expect(gaps().length).toBeGreaterThan(3);
    for (const ms of gaps()) expect(ms).toBeGreaterThanOrEqual(10 * chunkTakesMs);
  });

  it('rests no longer once it is too far behind, nor when commits have paused', async () => {
    projector.committed = 110_000;
    for (let ms = 0; ms < 400; ms += 20) {
      commit(1);
      await pass(20);
    }
    expect(gaps()).toEqual(Array(3).fill(withoutRest));
    projector.committed = 30_000;
    const before = starts().length;
    await pass(1_000);
    expect(gaps().slice(before)).toEqual(Array(gaps().length - before).fill(withoutRest));
  });

  it('projects all for whoever waits, without a rest', async () => {
    projector.committed = 3 * chunk;
    const all = loop.projectAll();
    await pass(4 * chunkTakesMs);
    await all;
    expect(gaps()).toEqual([withoutRest, withoutRest]);
  });

  it('settles at once when nothing is behind', async () => {
    const all = loop.projectAll();
    await pass(1);
    await all;
    expect(starts()).toEqual([]);
  });

  it('rejects those who wait when a schedule stopped', async () => {
    commit(1);
    const all = expect(loop.projectAll()).rejects.toThrow('schedule 1, seq 1: bad');
    projector.error = { scheduleId: schedule, seq: 1, message: 'bad' };
    await pass(200);
    await all;
  });

  it('tries again after a fault, tells those who wait, and tells of it once until something went well', async () => {
    projector.failure = new Error('the database is away');
    commit(1);
    const all = expect(loop.projectAll()).rejects.toThrow('away');
    await pass(5_000);
    await all;
    expect(starts().length).toBeGreaterThanOrEqual(4);
    expect(gaps()[0]).toBe(chunkTakesMs + 1_000);
    expect(faults).toEqual(['the database is away']);
    projector.failure = undefined;
    await pass(2_000);
    expect(projector.projected).toBe(1);
    projector.failure = new Error('again');
    commit(1);
    await pass(3_000);
    expect(faults).toEqual(['the database is away', 'again']);
  });

  it('asks what is behind when it is woken, also in the middle of a chunk', async () => {
    loop.wake();
    await pass(0);
    expect(asked).toBe(1);
    commit(1);
    await pass(120);
    expect(starts().length).toBe(1);
    loop.wake();
    await pass(200);
    expect(asked).toBe(3);
  });

  it('projects nothing while nobody knows what is behind', async () => {
    unknown = new Error('away');
    projector.committed = 1;
    loop.wake();
    await expect(loop.projectAll()).rejects.toThrow('away');
    await pass(3_000);
    expect(starts()).toEqual([]);
    expect(faults).toEqual(['away']);
    unknown = undefined;
    await pass(2_000);
    expect(projector.projected).toBe(1);
  });

  it('stops after the chunk that is under way, and leaves nobody waiting', async () => {
    projector.committed = 3 * chunk;
    const all = expect(loop.projectAll()).rejects.toThrow('the store is closed');
    await pass(10);
    let hasStopped = false;
    const stopped = loop.stop().then(() => {
      hasStopped = true;
    });
    await pass(chunkTakesMs - 11);
    expect(hasStopped).toBe(false);
    await pass(1);
    await Promise.all([stopped, all]);
    await expect(loop.projectAll()).rejects.toThrow('the store is closed');
    commit(1);
    await pass(5_000);
    expect(starts().length).toBe(1);
  });
});
