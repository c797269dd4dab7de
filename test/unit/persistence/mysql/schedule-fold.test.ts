import { describe, expect, it } from 'vitest';
import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import type { ReservationNumber } from '../../../../src/actors/allocator/ids.ts';
import { ScheduleFold } from '../../../../src/persistence/mysql/schedule-fold.ts';
import { ProjectionGuardTripped } from '../../../../src/persistence/projection-guard.ts';
import { seatsToText } from '../../../../src/persistence/seats-text.ts';
import { RandomJournalWriter } from '../../../contract/random-journal.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';
import { Prng } from '../../../simulation/prng.ts';
import { TestDatabase } from '../sqlite/test-database.ts';
import { FoldedTables } from './folded-tables.ts';

const number = (event: ScheduleEvent) => ('number' in event ? [event.number] : []);

function foldRun(tables: FoldedTables, events: readonly ScheduleEvent[]): void {
  const stored = tables.stored(new Set<ReservationNumber>(events.flatMap(number)));
  const fold = new ScheduleFold(1 as never, { ...tables.state }, stored);
  for (const event of events) fold.apply(event);
  tables.write(fold);
}

/** What SQLite's projection, event by event, makes of the same journal: the rows of each table, in order. */
function rowByRow(journal: ScheduleJournal): Record<string, unknown[][]> {
  const test = new TestDatabase();
  const projector = test.newProjector();
  test.commit(journal.rows(), projector);
  while (projector.backlogEvents > 0) projector.projectChunk();
  expect(test.errors).toEqual([]);
  const rows = (sql: string) =>
    test.db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row as Record<string, unknown>));
  const tables = {
    state: rows(
      'SELECT projected_seq, last_at_ms, last_reservation_number, taken_seats, open_reservations FROM schedule_projection',
    ),
    reservations: rows(
      `SELECT number, user_id, status, seats, total_minor, held_at_ms, expires_at_ms, ended_at_ms, seq,
         payment_seq, paid_at_ms FROM reservation ORDER BY number`,
    ),
    holders: rows('SELECT seat, number FROM seat_reservation ORDER BY seat'),
    marks: rows(
      'SELECT seq, at_ms, user_id, key, fingerprint, number, kind, expires_at_ms FROM mark ORDER BY seq',
    ),
    payments: rows('SELECT number, method, hold_left_ms, key, fingerprint FROM open_payment ORDER BY number'),
  };
  test.db.close();
  return tables;
}

function rowsOf(tables: FoldedTables): Record<string, unknown[][]> {
  const byKey = <Row>(rows: ReadonlyMap<number, Row>) => [...rows].sort(([a], [b]) => a - b);
  return {
    state: [Object.values(tables.state)],
    reservations: byKey(tables.reservations).map(([, row]) => [
      row.number,
      row.userId,
      row.status,
      seatsToText(row.seats),
      row.totalMinor,
      row.heldAtMs,
      row.expiresAtMs,
      row.endedAtMs,
      row.seq,
      row.paymentSeq,
      row.paidAtMs,
    ]),
    holders: byKey(tables.holders),
    marks: byKey(tables.marks).map(([, row]) => [
      row.seq,
      row.atMs,
      row.userId,
      row.key,
      row.fingerprint,
      row.number,
      row.kind,
      row.expiresAtMs,
    ]),
    payments: byKey(tables.payments).map(([, row]) => [
      row.number,
      row.method,
      row.holdLeftMs,
      row.key,
      row.fingerprint,
    ]),
  };
}

describe('ScheduleFold', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

  it.each([1, 2, 5, 40, 400])(
    `leaves what its events leave one by one, in runs of up to %i (SEED=${seed})`,
    (runMax) => {
      const prng = new Prng(seed + runMax);
      const journal = new ScheduleJournal(1, 1);
      // Within the time that marks are kept: old ones are forgotten elsewhere.
      new RandomJournalWriter(journal, prng).write(1_500);
      const tables = new FoldedTables();
      for (let from = 0; from < journal.events.length; ) {
        const to = from + prng.between(1, runMax);
        foldRun(tables, journal.events.slice(from, to));
        from = to;
      }
      expect(rowsOf(tables)).toEqual(rowByRow(journal));
    },
  );

  describe('refuses in its order what the tables would refuse row by row', () => {
    type Story = (journal: ScheduleJournal) => void;
    const ended: Story = (journal) => journal.cancel(journal.hold());
    const first = 1 as ReservationNumber;

    /** What comes before the last event is good, the last is refused. */
    const stories: readonly [given: string, before: Story, last: Story, message: RegExp][] = [
      [
        'a seat that was sold in the same run (I1)',
        (j) => j.hold(),
        (j) => j.hold(),
        /seat 0 is taken already/,
      ],
      ['a seat twice in one hold', () => {}, (j) => j.hold({ seats: [1, 1] }), /seat 1 is taken already/],
      ['a blocked seat', (j) => j.block(0), (j) => j.hold(), /seat 0 is taken already/],
      ['a held seat that is blocked', (j) => j.hold(), (j) => j.block(0), /seat 0 is taken already/],
      ['an unblocking of a held seat', (j) => j.hold(), (j) => j.unblock(0), /seat 0 is not held by 0/],
      ['an end that comes twice', ended, (j) => j.expire(first), /reservation 1 has ended already/],
      ['an end of what never began', ended, (j) => j.cancel(7 as never), /reservation 7 does not exist/],
      ['a payment of what has ended', ended, (j) => j.pay(first), /reservation 1 has ended already/],
      [
        'a refund of what was not paid for',
        ended,
        (j) => j.failPayment(first, 1),
        /reservation 1 has no payment/,
      ],
      [
        'a payment that failed, and failed again',
        (j) => {
          const seq = j.pay(j.hold());
          j.expire(first);
          j.failPayment(first, seq);
        },
        (j) => j.failPayment(first, 2),
        /reservation 1 has no payment/,
      ],
      [
        'a seat that is unblocked twice',
        (j) => {
          j.block(0);
          j.unblock(0);
        },
        (j) => j.unblock(0),
        /seat 0 is not held by 0/,
      ],
      [
        'the end of a payment of one that lives',
        (j) => j.pay(j.hold()),
        (j) => j.failPayment(first, 2),
        /reservation 1 is live/,
      ],
    ];

    it.each(stories)('%s', (_, before, last, message) => {
      const journal = new ScheduleJournal(1, 1);
      before(journal);
      foldRun(new FoldedTables(), journal.events);
      last(journal);
      const apply = () => foldRun(new FoldedTables(), journal.events);
      expect(apply).toThrow(message);
      expect(apply).toThrow(ProjectionGuardTripped);
    });

    it('a seat that is freed only after it was sold again', () => {
      const journal = new ScheduleJournal(1, 1);
      journal.hold();
      journal.hold();
      journal.cancel(first);
      expect(() => foldRun(new FoldedTables(), journal.events)).toThrow(/seat 0 is taken already/);
    });

    it.each([
      ['a gap', 3],
      ['one that was before', 1],
    ])('%s (I6)', (_, seq) => {
      const fold = new ScheduleFold(1 as never, { ...new FoldedTables().state, projectedSeq: 1 }, []);
      const event = { type: 'blocked', seats: [1], seq, atMs: 1 } as ScheduleEvent;
      expect(() => fold.apply(event)).toThrow(`seq ${seq} follows 1`);
    });

    it('a number of a reservation that was used', () => {
      const journal = new ScheduleJournal(1, 1);
      journal.hold();
      const fold = new ScheduleFold(
        1 as never,
        { ...new FoldedTables().state, lastReservationNumber: 1 },
        [],
      );
      expect(() => fold.apply(journal.events[0]!)).toThrow('reservation 1 exists already');
    });
  });

  it('writes a reservation that came and went in one run once, as it ended, and its seats to nobody', () => {
    const journal = new ScheduleJournal(1, 1);
    const first = journal.hold({ seats: [1, 2], mark: { key: 'k', fingerprint: 1 } });
    journal.expire(first);
    journal.hold({ seats: [2] });
    const fold = new ScheduleFold(1 as never, new FoldedTables().state, []);
    for (const event of journal.events) fold.apply(event);
    const { created, changed, freed } = fold.changes();
    expect(created.map(({ number, endedAtMs }) => [number, endedAtMs > 0])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect([changed, freed]).toEqual([[], []]);
    expect(fold.state).toMatchObject({ takenSeats: 1, openReservations: 1, lastReservationNumber: 2 });
  });

  it('closes a payment that was stored and begins another in the same run', () => {
    const tables = new FoldedTables();
    const journal = new ScheduleJournal(1, 1);
    const first = journal.hold();
    const before = journal.pay(first, { mark: { key: 'one', fingerprint: 1 } });
    foldRun(tables, journal.events);
    journal.failPayment(first, before, { expiresAtMs: journal.nowMs + 1 });
    journal.pay(first, { mark: { key: 'two', fingerprint: 2 } });
    foldRun(tables, journal.events.slice(2));
    expect([...tables.payments.values()]).toEqual([expect.objectContaining({ number: 1, key: 'two' })]);
    expect([...tables.marks.values()].map(({ key }) => key)).toEqual(['two']);
  });
});
