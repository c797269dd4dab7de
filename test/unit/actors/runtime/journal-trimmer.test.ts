import { beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import type { JournalTrim, JournalTrimmed } from '../../../../src/actors/runtime/event-outbox.ts';
import { JournalTrimmer } from '../../../../src/actors/runtime/journal-trimmer.ts';
import { ManualClock } from './manual-clock.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const retentionMs = 24 * hourMs;

describe('JournalTrimmer', () => {
  let clock: ManualClock;
  /** Rows that are old enough, by schedule; in order of their ids. */
  let old: Map<number, number>;
  let calls: JournalTrim[];
  let faults: unknown[];
  let trimmer: JournalTrimmer;
  /** What a call does before it answers. */
  let beforeAnswer: () => Promise<void> | void;

  beforeEach(() => {
    clock = new ManualClock();
    old = new Map();
    calls = [];
    faults = [];
    beforeAnswer = () => {};
    trimmer = new JournalTrimmer({
      outbox: { trimJournal },
      clock,
      retentionMs,
      isPublishing: true,
      onFault: (fault, error) => faults.push([fault, error]),
    });
  });

  /** A schedule without rows is not found, as in a store. */
  async function trimJournal(trim: JournalTrim): Promise<JournalTrimmed> {
    calls.push(trim);
    await beforeAnswer();
    const found = [...old].find(([scheduleId]) => scheduleId > trim.afterScheduleId);
    if (found === undefined) return { scheduleId: undefined, deleted: 0 };
    const [scheduleId, rows] = found;
    const deleted = Math.min(rows, trim.rowsMax);
    old.set(scheduleId, rows - deleted);
    if (deleted === rows && deleted > 0) old.delete(scheduleId);
    return { scheduleId: scheduleId as ScheduleId, deleted };
  }

  const startAndRun = async (forMs: number) => {
    trimmer.start();
    await clock.advance(forMs);
  };
  const left = () => [...old.values()].reduce((sum, rows) => sum + rows, 0);

  it('does nothing in the first minute', async () => {
    old.set(1, 10);
    await startAndRun(minuteMs - 1);
    expect(calls).toEqual([]);
    await clock.advance(1);
    expect(calls.length).toBe(1);
  });

  it('goes round all schedules in small steps, and leaves none of their old rows', async () => {
    for (const [scheduleId, rows] of [
      [3, 2500],
      [7, 0],
      [9, 1000],
      [2 ** 52, 1],
    ] as const)
      old.set(scheduleId, rows);
    await startAndRun(2 * minuteMs);
    expect(left()).toBe(0);
    expect(calls.every(({ rowsMax, isPublishing }) => rowsMax === 1000 && isPublishing)).toBe(true);
    expect(calls.map(({ afterScheduleId }) => afterScheduleId)).toEqual([0, 0, 0, 3, 7, 7, 2 ** 52]);
  });

  it('deletes what is older than the retention at the time of the step', async () => {
    for (const scheduleId of [1, 2]) old.set(scheduleId, 0);
    trimmer.start();
    await clock.advance(minuteMs);
    clock.jump(5000);
    await clock.advance(1000);
    const [first, second] = calls.map(({ beforeMs }) => beforeMs + retentionMs);
    expect(first).toBe(1_000_000 + minuteMs);
    expect(second).toBeGreaterThanOrEqual(first! + 5000);
  });

  it('begins another round an hour after the last one, from the first schedule', async () => {
    old.set(5, 0);
    await startAndRun(minuteMs + 1000);
    expect(calls.length).toBe(2);
    await clock.advance(hourMs - 2000);
    expect(calls.length).toBe(2);
    await clock.advance(2000);
    expect(calls.map(({ afterScheduleId }) => afterScheduleId)).toEqual([0, 5, 0, 5]);
  });

  it('rests nine times as long as a step took', async () => {
    old.set(5, 5000);
    const answers: (() => void)[] = [];
    beforeAnswer = () => new Promise((resolve) => answers.push(resolve));
    trimmer.start();
    await clock.advance(minuteMs);
    await clock.advance(40); // the step takes 40 ms
    answers.shift()!();
    await clock.settle();
    expect(clock.delaysMs).toEqual([360]);
    expect(calls.length).toBe(1);
    await clock.advance(359);
    expect(calls.length).toBe(1);
    await clock.advance(1);
    expect(calls.length).toBe(2);
  });

  it('never has two steps at once, and rests after the shortest as well', async () => {
    old.set(5, 100_000);
    let underWay = 0;
    beforeAnswer = async () => {
      underWay += 1;
      expect(underWay).toBe(1);
      await Promise.resolve();
      underWay -= 1;
    };
    await startAndRun(minuteMs + 100);
    expect(calls.length).toBeGreaterThan(10);
    expect(calls.length).toBeLessThanOrEqual(21);
  });

  it('tells of an error, and goes on a minute later from where it was', async () => {
    for (const scheduleId of [1, 2, 3]) old.set(scheduleId, 10);
    const full = new Error('disk full');
    beforeAnswer = () => {
      if (calls.length === 2) throw full;
    };
    await startAndRun(minuteMs + 1000);
    expect(faults).toEqual([['trimming the journal failed: it is tried again in a minute', full]]);
    expect([calls.length, left()]).toEqual([2, 20]);
    await clock.advance(minuteMs);
    expect(calls.map(({ afterScheduleId }) => afterScheduleId)).toEqual([0, 1, 1, 2, 3]);
    expect([left(), faults.length]).toEqual([0, 1]);
  });

  it('ends with the step that is under way', async () => {
    old.set(1, 5000);
    let answer = () => {};
    beforeAnswer = () => new Promise((resolve) => (answer = resolve));
    trimmer.start();
    await clock.advance(minuteMs);
    let isStopped = false;
    const stopping = trimmer.stop().then(() => (isStopped = true));
    await clock.settle();
    expect(isStopped).toBe(false);
    answer();
    await stopping;
    await clock.advance(2 * hourMs);
    expect([calls.length, clock.delaysMs]).toEqual([1, []]);
  });

  it('ends at once between two rounds', async () => {
    trimmer.start();
    await trimmer.stop();
    await clock.advance(2 * hourMs);
    expect([calls, clock.delaysMs]).toEqual([[], []]);
  });
});
