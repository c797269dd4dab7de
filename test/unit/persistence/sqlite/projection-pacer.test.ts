import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import type { ProjectionError } from '../../../../src/persistence/projection-error.ts';
import { ProjectionPacer } from '../../../../src/persistence/sqlite/projection-pacer.ts';

const chunk = 256;
const chunkTakesMs = 4;
const schedule = 1 as ScheduleId;

/** One schedule; a chunk takes 4 ms, which the timers do not see. */
class FakeProjector {
  committed = 0;
  projected = 0;
  chunks = 0;
  failure: Error | undefined;
  error: ProjectionError | undefined;

  get backlogEvents(): number {
    return this.error === undefined ? this.committed - this.projected : 0;
  }
  projectChunk(): void {
    this.chunks += 1;
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

describe('ProjectionPacer', () => {
  let projector: FakeProjector;
  let pacer: ProjectionPacer;

  beforeEach(() => {
    vi.useFakeTimers();
    projector = new FakeProjector();
    pacer = new ProjectionPacer(projector, () => Date.now() + projector.chunks * chunkTakesMs);
  });
  afterEach(() => {
    pacer.stop();
    vi.useRealTimers();
  });

  const commit = (events: number) => {
    projector.committed += events;
    pacer.noteCommit();
  };

  it('gathers for 50 ms after the first commit', () => {
    commit(1);
    vi.advanceTimersByTime(40);
    commit(1);
    expect(projector.chunks).toBe(0);
    vi.advanceTimersByTime(10);
    expect([projector.chunks, projector.projected]).toEqual([1, 2]);
    vi.advanceTimersByTime(10_000);
    expect(projector.chunks).toBe(1);
  });

  it('catches up without a rest when commits pause', () => {
    commit(10 * chunk);
    vi.advanceTimersByTime(60); // a fake immediate takes 1 ms
    expect(projector.backlogEvents).toBe(0);
  });

  it('takes a tenth of the time while commits flow', () => {
    for (let ms = 0; ms < 1000; ms += 5) {
      commit(100);
      vi.advanceTimersByTime(5);
    }
    const workedMs = projector.chunks * chunkTakesMs;
    expect(workedMs / (1000 + workedMs)).toBeCloseTo(0.1, 1);
  });

  it('does not rest when it is too far behind', () => {
    commit(250_000 + 20 * chunk);
    for (let ms = 0; ms < 80; ms += 5) {
      commit(1);
      vi.advanceTimersByTime(5);
    }
    expect(projector.backlogEvents).toBeGreaterThan(250_000 - 2 * chunk);
    expect(projector.backlogEvents).toBeLessThanOrEqual(250_000 + 16);
  });

  it('starts at once with what an earlier run left behind', () => {
    projector.committed = 3;
    pacer.start();
    vi.advanceTimersByTime(0);
    expect(projector.projected).toBe(3);
  });

  it('projectAll does not rest either, and resolves when its own target is reached', async () => {
    commit(4 * chunk);
    const done = pacer.projectAll();
    commit(4 * chunk);
    vi.advanceTimersByTime(4);
    await done;
    expect(projector.chunks).toBe(4);
  });

  it('projectAll resolves when nothing is behind', async () => {
    const done = pacer.projectAll();
    vi.advanceTimersByTime(0);
    await done;
    expect(projector.chunks).toBe(0);
  });

  it('projectAll rejects when a schedule has stopped', async () => {
    commit(1);
    projector.error = { scheduleId: schedule, seq: 1, message: 'seat 3 is taken' };
    const done = expect(pacer.projectAll()).rejects.toThrow('schedule 1, seq 1: seat 3 is taken');
    vi.advanceTimersByTime(0);
    await done;
  });

  it('an error of the database rejects projectAll, and is tried again after a second', async () => {
    commit(1);
    projector.failure = new Error('disk full');
    const done = expect(pacer.projectAll()).rejects.toThrow('disk full');
    vi.advanceTimersByTime(0);
    await done;
    projector.failure = undefined;
    vi.advanceTimersByTime(900);
    expect(projector.projected).toBe(0);
    vi.advanceTimersByTime(200);
    expect(projector.projected).toBe(1);
  });

  it('does nothing more after stop', () => {
    commit(1);
    pacer.stop();
    vi.advanceTimersByTime(10_000);
    expect(projector.chunks).toBe(0);
  });
});
