import { beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import { toJournalColumns } from '../../../src/persistence/journal-columns.ts';
import { JournalLag } from '../../../src/persistence/journal-lag.ts';
import { ScheduleJournal } from '../../contract/schedule-journal.ts';
import { Prng } from '../../simulation/prng.ts';

const [a, b, c] = [10, 20, 2 ** 52] as ScheduleId[] as [ScheduleId, ScheduleId, ScheduleId];

describe('JournalLag', () => {
  let lag: JournalLag;

  beforeEach(() => {
    lag = new JournalLag();
  });

  const commit = (scheduleId: ScheduleId, fromSeq: number, toSeq: number) => {
    for (let seq = fromSeq; seq <= toSeq; seq++) lag.noteCommitted(scheduleId, seq);
  };

  it('follows a schedule from its first event that is not done', () => {
    commit(a, 1, 2);
    commit(b, 31, 33);
    expect(lag.of(a)).toEqual({ doneSeq: 0, committedSeq: 2 });
    expect(lag.of(b)).toEqual({ doneSeq: 30, committedSeq: 33 });
    expect(lag.of(c)).toBeUndefined();
    expect([lag.schedules(), lag.events, lag.size]).toEqual([[a, b], 5, 2]);
  });

  it('takes a batch of several schedules at once', () => {
    const journals = [new ScheduleJournal(a, 1), new ScheduleJournal(b, 1)];
    for (const journal of journals) for (const seat of [1, 2]) journal.hold({ seats: [seat] });
    const [first, second] = journals.map((journal) => journal.rows());
    lag.noteBatch(toJournalColumns([first![0]!, second![0]!, first![1]!, second![1]!]));
    expect([lag.of(a)?.committedSeq, lag.of(b)?.committedSeq, lag.events]).toEqual([2, 2, 4]);
  });

  const marks: readonly [string, (readonly [ScheduleId, number])[], ScheduleId[], number][] = [
    ['one that is done is followed no further', [[a, 3]], [b, c], 4],
    ['one that is still behind goes to the end of the line', [[a, 1]], [b, c, a], 6],
    ['one that has come no further does as well', [[b, 0]], [a, c, b], 7],
    [
      'each in its turn',
      [
        [a, 1],
        [b, 1],
      ],
      [c, a, b],
      5,
    ],
    [
      'what is done already counts once',
      [
        [a, 2],
        [a, 1],
        [a, 2],
      ],
      [b, c, a],
      5,
    ],
    ['more than is committed is not done', [[b, 99]], [a, c], 5],
    [
      'what is not followed is nothing',
      [
        [b, 2],
        [b, 2],
      ],
      [a, c],
      5,
    ],
  ];
  it.each(marks)('%s', (_name, done, line, events) => {
    commit(a, 1, 3);
    commit(b, 1, 2);
    commit(c, 1, 2);
    for (const [scheduleId, seq] of done) lag.noteDone(scheduleId, seq);
    expect([lag.schedules(), lag.events]).toEqual([line, events]);
  });

  it('never goes back', () => {
    commit(a, 1, 5);
    lag.noteDone(a, 4);
    lag.noteDone(a, 2);
    expect([lag.of(a)?.doneSeq, lag.events]).toEqual([4, 1]);
  });

  it('goes on where it was with a schedule that was done', () => {
    commit(a, 1, 2);
    lag.noteDone(a, 2);
    commit(a, 3, 3);
    expect([lag.of(a), lag.events]).toEqual([{ doneSeq: 2, committedSeq: 3 }, 1]);
  });

  it('drops a schedule with its events', () => {
    commit(a, 1, 3);
    commit(b, 1, 1);
    lag.drop(a);
    lag.drop(c);
    expect([lag.schedules(), lag.events]).toEqual([[b], 1]);
  });

  it('takes the word of a database in place of its own', () => {
    commit(a, 1, 3);
    lag.reset([
      [c, 5, 9],
      [b, 0, 1],
    ]);
    expect([lag.schedules(), lag.events, lag.of(c)]).toEqual([[c, b], 5, { doneSeq: 5, committedSeq: 9 }]);
  });

  it('tells when a target is reached', () => {
    commit(a, 1, 3);
    commit(b, 1, 1);
    const targets = lag.targets();
    commit(a, 4, 4);
    expect(targets).toEqual(
      new Map([
        [a, 3],
        [b, 1],
      ]),
    );
    lag.noteDone(a, 2);
    expect([lag.isReached(a, 2), lag.isReached(a, 3), lag.isReached(b, 1)]).toEqual([true, false, false]);
    lag.noteDone(a, 3);
    lag.noteDone(b, 1);
    expect([lag.isReached(a, 3), lag.isReached(b, 1)]).toEqual([true, true]);
  });

  it.each([1, 2, 3])('counts what a plain list counts (seed %i)', (seed) => {
    const prng = new Prng(seed);
    const committed = new Map([a, b, c].map((id) => [id, 0]));
    const done = new Map([a, b, c].map((id) => [id, 0]));
    for (let step = 0; step < 500; step++) {
      const id = prng.pick([a, b, c]);
      const [last, first] = [committed.get(id)!, done.get(id)!];
      if (prng.chance(0.6)) {
        lag.noteCommitted(id, last + 1);
        committed.set(id, last + 1);
      } else {
        const seq = prng.between(0, last);
        lag.noteDone(id, seq);
        done.set(id, Math.max(first, seq));
      }
      const behind = [a, b, c].filter((each) => committed.get(each)! > done.get(each)!);
      expect([...lag.schedules()].sort()).toEqual([...behind].sort());
      expect(lag.events).toBe(behind.reduce((sum, each) => sum + committed.get(each)! - done.get(each)!, 0));
      for (const each of behind) {
        expect(lag.of(each)).toEqual({ doneSeq: done.get(each), committedSeq: committed.get(each) });
      }
    }
  });
});
