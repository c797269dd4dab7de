import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chunkEventsMax, type Projector } from '../../../../src/persistence/sqlite/projector.ts';
import { RecoveryImageReader } from '../../../../src/persistence/sqlite/recovery-image.ts';
import { foldedImage, foldJournal } from '../../../contract/journal-fold.ts';
import { RandomJournalWriter } from '../../../contract/random-journal.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';
import { Prng } from '../../../simulation/prng.ts';
import { TestDatabase } from './test-database.ts';

const dayMs = 24 * 60 * 60 * 1000;

describe('Projector', () => {
  let test: TestDatabase;
  let projector: Projector;

  beforeEach(() => {
    test = new TestDatabase();
    projector = test.newProjector();
  });
  afterEach(() => test.db.close());

  const journalOfHolds = (scheduleId: number, holds: number) => {
    const journal = new ScheduleJournal(scheduleId, 1);
    for (let seat = 0; seat < holds; seat++) journal.hold({ seats: [seat] });
    return journal;
  };
  const image = (journal: ScheduleJournal) =>
    new RecoveryImageReader(test.db).read(journal.scheduleId, 0, 0).image;

  it('moves a chunk at a time, and the image is the journal up to projectedSeq at each step', () => {
    const journal = new ScheduleJournal(1, 1);
    new RandomJournalWriter(journal, new Prng(11)).write(3 * chunkEventsMax - 100);
    test.commit(journal.newRows(), projector);
    for (const projectedSeq of [0, chunkEventsMax, 2 * chunkEventsMax, journal.events.length]) {
      expect(projector.backlogEvents).toBe(journal.events.length - projectedSeq);
      expect(foldedImage(image(journal))).toEqual(foldJournal(journal.rows().slice(0, projectedSeq)));
      projector.projectChunk();
    }
  });

  it('shares a chunk between schedules; one that is still behind goes to the end of the line', () => {
    const [long, short] = [journalOfHolds(1, 2 * chunkEventsMax), journalOfHolds(2, 3)];
    test.commit([...long.rows(), ...short.rows()], projector);
    projector.projectChunk();
    expect(projector.schedulesBehind()).toEqual([2, 1]);
    projector.projectChunk();
    expect(projector.schedulesBehind()).toEqual([1]);
    expect(image(short).projectedSeq).toBe(3);
    expect(image(long).projectedSeq).toBe(2 * chunkEventsMax - 3);
    projector.projectChunk();
    expect([projector.schedulesBehind(), projector.backlogEvents]).toEqual([[], 0]);
  });

  it('finds at the start what an earlier one left behind, as if that had never stopped', () => {
    const journals = [journalOfHolds(5, 300), journalOfHolds(2 ** 52, 10), journalOfHolds(7, 1)];
    test.commit(
      journals.flatMap((journal) => journal.newRows()),
      projector,
    );
    projector.projectChunk();
    const next = test.newProjector();
    expect(next.backlogEvents).toBe(311 - chunkEventsMax);
    while (next.backlogEvents > 0) next.projectChunk();
    for (const journal of journals) expect(foldedImage(image(journal))).toEqual(foldJournal(journal.rows()));
  });

  it('knows when a target is reached', () => {
    const journal = journalOfHolds(1, 300);
    test.commit(journal.rows(), projector);
    const targets = projector.currentTargets();
    expect(targets).toEqual(new Map([[1, 300]]));
    projector.projectChunk();
    expect([
      projector.isSettled(journal.scheduleId, 256),
      projector.isSettled(journal.scheduleId, 257),
    ]).toEqual([true, false]);
    projector.projectChunk();
    expect(projector.isSettled(journal.scheduleId, 300)).toBe(true);
  });

  it('stops the schedule whose event is refused, tells of it, and goes on with the others', () => {
    const [broken, healthy] = [journalOfHolds(1, 2), journalOfHolds(2, 2)];
    broken.hold({ seats: [1] });
    test.commit([...broken.newRows(), ...healthy.newRows()], projector);
    while (projector.backlogEvents > 0) projector.projectChunk();
    const message = 'UNIQUE constraint failed: seat_reservation.schedule_id, seat_reservation.seat';
    expect(test.errors).toEqual([{ scheduleId: 1, seq: 3, message }]);
    expect(projector.firstError()).toEqual(test.errors[0]);
    expect([image(broken).projectedSeq, image(healthy).projectedSeq]).toEqual([0, 2]);
    expect(projector.schedulesBehind()).toEqual([1]);

    broken.hold({ seats: [9] });
    test.commit(broken.newRows(), projector);
    expect(projector.backlogEvents).toBe(0);
    projector.findBacklog();
    expect(projector.backlogEvents).toBe(0);
    expect(test.errors.length).toBe(1);
  });

  it('stops at a payload that cannot be read', () => {
    const [row] = journalOfHolds(1, 1).rows();
    test.commit([{ ...row!, payload: '{"number":' }], projector);
    projector.projectChunk();
    expect(test.errors).toMatchObject([{ scheduleId: 1, seq: 1 }]);
  });

  it('throws what the database threw, moves nothing, and may be called again', () => {
    const journal = journalOfHolds(1, 200);
    test.commit(journal.rows(), projector);
    const { page_count: pages } = test.db.prepare('PRAGMA page_count').get()!;
    test.db.exec(`PRAGMA max_page_count = ${pages}`);
    expect(() => projector.projectChunk()).toThrow(/full/);
    expect([projector.backlogEvents, image(journal).projectedSeq, test.errors]).toEqual([200, 0, []]);
    test.db.exec('PRAGMA max_page_count = 100000');
    projector.projectChunk();
    expect(image(journal).projectedSeq).toBe(200);
  });

  it('forgets marks older than 24 hours of the schedule, and nothing younger', () => {
    const journal = new ScheduleJournal(1, 1);
    for (let seat = 0; seat < 5; seat++) {
      journal.hold({ seats: [seat], mark: { key: `k${seat}`, fingerprint: seat } });
      journal.nowMs += 1000;
    }
    journal.nowMs += dayMs - 3000; // the mark of k2 is 24 hours old to the millisecond
    journal.block(30);
    test.commit(journal.newRows(), projector);
    projector.projectChunk();
    expect(image(journal).marks.key).toEqual(['k2', 'k3', 'k4']);
  });

  it('forgets as fast as it remembers', () => {
    const journal = new ScheduleJournal(1, 1);
    const events = 6 * chunkEventsMax;
    for (let seat = 0; seat < events; seat++) {
      journal.hold({ seats: [seat], mark: { key: `k${seat}`, fingerprint: seat } });
      journal.nowMs += dayMs / chunkEventsMax;
    }
    test.commit(journal.newRows(), projector);
    while (projector.backlogEvents > 0) projector.projectChunk();
    expect(test.count('mark')).toBe(chunkEventsMax + 1);
  });

  it('leaves no row of a payment that is over behind, nor a mark of one that came to nothing', () => {
    const journal = new ScheduleJournal(1, 1);
    const mark = (key: string) => ({ key, fingerprint: 1 });
    const [paid, failed, late] = [0, 1, 2].map((seat) => journal.hold({ seats: [seat] }));
    const paidBy = journal.pay(paid!, { mark: mark('paid') });
    const failedBy = journal.pay(failed!, { mark: mark('failed') });
    const lateBy = journal.pay(late!, { mark: mark('late') });
    const project = () => {
      test.commit(journal.newRows(), projector);
      projector.projectChunk();
      return [test.count('open_payment'), test.count('mark'), test.count('seat_reservation')];
    };
    expect(project()).toEqual([3, 3, 3]);
    journal.expire(late!);
    expect(project()).toEqual([3, 2, 2]);
    journal.failPayment(late!, lateBy);
    journal.failPayment(failed!, failedBy, { expiresAtMs: journal.nowMs + 30_000 });
    journal.paid(paid!, paidBy, mark('paid'));
    expect(project()).toEqual([0, 1, 2]);
  });

  it('leaves no seat row of an ended reservation behind', () => {
    const journal = new ScheduleJournal(1, 1);
    journal.cancel(journal.hold({ seats: [4, 3, 2] }));
    journal.hold({ seats: [3] });
    test.commit(journal.newRows(), projector);
    projector.projectChunk();
    expect([test.count('seat_reservation'), test.count('reservation')]).toEqual([1, 2]);
  });
});
