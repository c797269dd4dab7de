import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Prng } from '../simulation/prng.ts';
import { foldJournal, foldStored } from './journal-fold.ts';
import { MySqlStage, outcomeOf, type StoreRun } from './mysql-store-stage.ts';
import { RandomJournalWriter } from './random-journal.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { everything } from './store-harness.ts';

/** Journals that the tables refuse: bugs on the deciding side. And projectors that are cut off in the middle. */
describe.concurrent('the projection in MySQL', () => {
  /** Of as many schedules, each with as many holds of a seat of its own. */
  function journalsOf(schedules: number, events: number): ScheduleJournal[] {
    return Array.from({ length: schedules }, (_, i) => {
      const journal = new ScheduleJournal(10 + i, 1);
      for (let seat = 0; seat < events; seat++) journal.hold({ seats: [seat] });
      return journal;
    });
  }

  interface Refused {
    readonly given: string;
    /** What is done to the tables before the journal comes, or to the journal. */
    readonly harm: (stage: MySqlStage) => Promise<unknown>;
    readonly message: RegExp;
  }

  const badSeq = 37;

  const refused: readonly Refused[] = [
    {
      given: 'a seat that somebody else holds, for all that the fold knows (I1)',
      harm: ({ shell }) => shell.query(`INSERT INTO seat_reservation VALUES (11, 9999, ${badSeq - 1}, 1, 0)`),
      message: /Duplicate entry '11-36-1' for key 'one_live_holder'/,
    },
    {
      given: 'a payload that is no JSON',
      harm: ({ shell }) =>
        shell.query(`UPDATE event_log SET payload = '{' WHERE schedule_id = 11 AND seq = ${badSeq}`),
      message: /JSON/,
    },
    {
      given: 'a payload that is of no such event',
      harm: ({ shell }) =>
        shell.query(`UPDATE event_log SET payload = '{}' WHERE schedule_id = 11 AND seq = ${badSeq}`),
      message: /./,
    },
    {
      given: 'a user that the column cannot hold',
      harm: ({ shell }) =>
        shell.query(
          `UPDATE event_log SET payload = REPLACE(payload, 'ann', 'änn') WHERE schedule_id = 11 AND seq = ${badSeq}`,
        ),
      message: /Incorrect string value/,
    },
    {
      given: 'a gap (I6)',
      harm: ({ shell }) => shell.query(`DELETE FROM event_log WHERE schedule_id = 11 AND seq = ${badSeq}`),
      message: /seq 38 follows 36/,
    },
    {
      given: 'an end that finds no seat to free',
      harm: async ({ shell }) => {
        await shell.query('UPDATE seat_reservation SET live = NULL WHERE schedule_id = 11');
        await shell.query(
          `UPDATE event_log SET type = 'cancelled', payload = '{"number":1}' WHERE schedule_id = 11 AND seq = ${badSeq}`,
        );
      },
      message: /UPDATE seat_reservation found 0 rows, not 1/,
    },
  ];

  it.each(refused)('stops a schedule at $given, tells its seq, and goes on with the others', async (row) => {
    await using stage = await MySqlStage.open();
    const writer = await stage.otherRun();
    await writer.claim(1);
    const journals = journalsOf(5, 100);
    await writer.commitNew(...journals.map((journal) => firstOf(journal)));
    await writer.store.projectAll();
    await writer.store.close();
    await commitAll(stage, journals);
    await row.harm(stage);

    // Not out of what it has just committed: out of the database.
    const run = await stage.otherRun();
    await run.claim(1);
    const projecting = await outcomeOf(run.store.projectAll());
    const seq = row.given.startsWith('a gap') ? badSeq + 1 : badSeq;
    expect(projecting.message).toContain(`schedule 11, seq ${seq}: `);
    expect(projecting.message).toMatch(row.message);
    expect(run.troubles).toEqual([
      {
        kind: 'projection-error',
        error: { scheduleId: 11, seq, message: expect.stringMatching(row.message) },
      },
    ]);
    expect(await stage.rows('SELECT schedule_id, projected_seq FROM schedule_projection')).toEqual(
      journals.map(({ scheduleId }) => [scheduleId, scheduleId === 11 ? badSeq - 1 : 100]),
    );
    expect((await run.store.stats()).projectionLagEvents).toBe(0);
    // New events of the others are projected as ever.
    journals[0]!.newRows();
    journals[0]!.hold({ seats: [100] });
    expect(await run.commitNew(journals[0]!)).toBe('committed');
    await outcomeOf(run.store.projectAll());
    expect(await stage.rows('SELECT projected_seq FROM schedule_projection WHERE schedule_id = 10')).toEqual([
      [101],
    ]);
  });

  /** The first event of a journal, as one of its own. */
  function firstOf(journal: ScheduleJournal): ScheduleJournal {
    const first = new ScheduleJournal(journal.scheduleId, journal.shardId);
    first.hold({ seats: [0] });
    return first;
  }

  /** The rest of them, by a run whose worker is gone before it projects. */
  async function commitAll(stage: MySqlStage, journals: readonly ScheduleJournal[]): Promise<void> {
    const values = journals.flatMap((journal) => journal.newRows().slice(1));
    const rows = values.map(({ scheduleId, seq, shardId, atMs, type, payload }) =>
      stage.shell.escape([scheduleId, seq, shardId, atMs, type, payload]),
    );
    await stage.shell.query(`INSERT INTO event_log VALUES ${rows.map((each) => `(${each})`)}`);
  }

  it('finds the one refused event among thousands in a few steps, and tries again at the next start', async () => {
    await using stage = await MySqlStage.open();
    const run = await stage.otherRun();
    await run.claim(1);
    await stage.shell.query('INSERT INTO seat_reservation VALUES (12, 9999, 1498, 1, 0)');
    const journals = journalsOf(3, 1_600);
    expect(await run.commitNew(...journals)).toBe('committed');
    const projecting = await outcomeOf(run.store.projectAll());
    expect(projecting.message).toContain('schedule 12, seq 1499: ');
    expect(projecting.tookMs).toBeLessThan(20_000);
    expect((await run.store.stats()).projectionLagEvents).toBe(0);
    await run.store.close();

    const next = await stage.otherRun();
    await next.claim(1);
    expect((await outcomeOf(next.store.projectAll())).message).toContain('schedule 12, seq 1499: ');
    await next.store.close();

    await stage.shell.query('DELETE FROM seat_reservation WHERE reservation_number = 9999');
    const repaired = await stage.otherRun();
    await repaired.claim(1);
    await repaired.store.projectAll();
    await expectWhole(repaired, journals);
  });

  async function expectWhole({ store }: StoreRun, journals: readonly ScheduleJournal[]): Promise<void> {
    for (const journal of journals) {
      const { image, tail } = await store.loadSchedule(journal.scheduleId, everything);
      expect(tail).toEqual([]);
      expect(foldStored({ image, tail })).toEqual(foldJournal(journal.rows()));
    }
  }

  it('takes many halls that were blocked whole in several transactions: each is a packet of some megabytes', async () => {
    await using stage = await MySqlStage.open();
    const run = await stage.otherRun();
    await run.claim(1);
    const seats = Array.from({ length: 10_000 }, (_, seat) => 100_000 + seat);
    const journals = Array.from({ length: 20 }, (_, i) => new ScheduleJournal(10 + i, 1));
    for (const journal of journals) journal.block(...seats);
    await run.commitNew(...journals);
    const seen = new Set<unknown>();
    let isDone = false;
    const projecting = run.store.projectAll().finally(() => {
      isDone = true;
    });
    while (!isDone) {
      const [row] = await stage.rows('SELECT SUM(taken_seats) FROM schedule_projection');
      seen.add(Number(row![0]));
    }
    await projecting;
    const sums = [...seen].filter((sum) => sum !== 0 && sum !== 200_000);
    expect(sums.length).toBeGreaterThan(0);
    expect(await stage.rows('SELECT SUM(taken_seats) FROM schedule_projection')).toEqual([['200000']]);
    expect(run.troubles).toEqual([]);
  });

  it('takes commits that come while it projects for no lack of events', async () => {
    await using stage = await MySqlStage.open();
    const run = await stage.otherRun();
    await run.claim(1);
    const journal = new ScheduleJournal(10, 1);
    // Its row is taken for a moment by somebody who gives it up: the chunk has read its one event by then, and waits.
    await stage.shell.query('START TRANSACTION');
    await stage.shell.query(
      `INSERT INTO reservation (schedule_id, number, user_id, status, seats, total_minor, held_at_ms, expires_at_ms,
         ended_at_ms, seq, payment_seq, paid_at_ms) VALUES (10, 1, 'ann', 0, '0', 1, 1, 1, 0, 1, 0, 0)`,
    );
    journal.hold({ seats: [0] });
    await run.commitNew(journal);
    await sleep(400);
    journal.hold({ seats: [1] });
    await run.commitNew(journal);
    await stage.shell.query('ROLLBACK');
    await run.store.projectAll();
    await expectWhole(run, [journal]);
    expect(run.troubles).toEqual([]);
  });

  it('shows one moment of the journal, wherever it was cut off', async () => {
    await using stage = await MySqlStage.open();
    const run = await stage.otherRun();
    await run.claim(1);
    const prng = new Prng(11);
    const journals = Array.from({ length: 4 }, (_, i) => new ScheduleJournal(10 + i, 1));
    const writers = journals.map((journal) => new RandomJournalWriter(journal, prng));
    for (let round = 0; round < 10; round++) {
      for (const writer of writers) writer.write(150);
      await run.commitSurely(...journals);
      const projecting = outcomeOf(run.store.projectAll());
      await stage.killConnections();
      await projecting;
      for (const journal of journals) {
        const loaded = await outcomeOf(run.store.loadSchedule(journal.scheduleId, everything));
        if (loaded.message !== '') continue;
        const { image } = loaded.said as Awaited<ReturnType<typeof run.store.loadSchedule>>;
        const shown = journal.rows().slice(0, image.projectedSeq);
        expect(foldStored({ image, tail: [] })).toEqual(foldJournal(shown));
      }
    }
    await run.store.projectAll();
    await expectWhole(run, journals);
  });
});
