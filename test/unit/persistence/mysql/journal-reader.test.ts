import { beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import type { MySqlSession } from '../../../../src/mysql/session.ts';
import { toJournalColumns } from '../../../../src/persistence/journal-columns.ts';
import { JournalReader } from '../../../../src/persistence/mysql/journal-reader.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';
import { Prng } from '../../../simulation/prng.ts';

describe('JournalReader', () => {
  /** Schedules that were asked of the database, with the seq after which. */
  let asked: [scheduleId: number, afterSeq: number][];
  let journals: Map<number, ScheduleJournal>;

  beforeEach(() => {
    asked = [];
    journals = new Map();
  });

  const journalOf = (scheduleId: number) => {
    const known = journals.get(scheduleId) ?? new ScheduleJournal(scheduleId, 1);
    journals.set(scheduleId, known);
    return known;
  };

  /** The log, with everything that was ever appended. */
  const session = {
    rows: async (_sql: string, [scheduleId, afterSeq, limit]: [number, number, number]) => {
      asked.push([scheduleId, afterSeq]);
      return journalOf(scheduleId)
        .rows()
        .filter(({ seq }) => seq > afterSeq)
        .slice(0, limit)
        .map(({ seq, shardId, atMs, type, payload }) => [seq, shardId, atMs, type, payload]);
    },
  } as unknown as MySqlSession;

  function append(scheduleId: number, events: number): void {
    for (let i = 0; i < events; i++)
      journalOf(scheduleId).hold({ seats: [journalOf(scheduleId).events.length] });
  }

  /** By this process; without it, somebody else did. */
  function noteNew(reader: JournalReader, scheduleId: number): void {
    reader.noteCommitted(toJournalColumns(journalOf(scheduleId).newRows()));
  }

  const seqs = async (reader: JournalReader, scheduleId: number, afterSeq: number, limit = 100) =>
    (await reader.read(session, scheduleId as ScheduleId, afterSeq, limit)).map(({ seq }) => seq);

  it('asks the database for nothing that was committed here', async () => {
    const reader = new JournalReader();
    append(1, 5);
    noteNew(reader, 1);
    expect(await seqs(reader, 1, 0)).toEqual([1, 2, 3, 4, 5]);
    expect(await seqs(reader, 1, 2, 2)).toEqual([3, 4]);
    append(1, 2);
    noteNew(reader, 1);
    expect(await seqs(reader, 1, 4)).toEqual([5, 6, 7]);
    expect(asked).toEqual([]);
  });

  it('asks for what came before, and for what may have come after', async () => {
    const reader = new JournalReader();
    append(1, 3);
    journalOf(1).newRows();
    append(1, 2);
    noteNew(reader, 1);
    expect(await seqs(reader, 1, 0)).toEqual([1, 2, 3, 4, 5]);
    expect(await seqs(reader, 1, 3)).toEqual([4, 5]);
    expect(await seqs(reader, 1, 5)).toEqual([]);
    expect(asked).toEqual([
      [1, 0],
      [1, 5],
    ]);
  });

  it("is not misled by somebody else's events in between", async () => {
    const reader = new JournalReader();
    append(1, 2);
    noteNew(reader, 1);
    append(1, 3);
    journalOf(1).newRows();
    // What is kept ends before them: the next read goes on in the database.
    expect(await seqs(reader, 1, 0)).toEqual([1, 2]);
    expect(await seqs(reader, 1, 2)).toEqual([3, 4, 5]);
    append(1, 1);
    noteNew(reader, 1);
    expect(await seqs(reader, 1, 0)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await seqs(reader, 1, 5)).toEqual([6]);
  });

  it('keeps as many as it may, the newest', async () => {
    const reader = new JournalReader(4);
    append(1, 3);
    noteNew(reader, 1);
    append(2, 3);
    noteNew(reader, 2);
    expect(await seqs(reader, 1, 2)).toEqual([3]);
    expect(await seqs(reader, 2, 0)).toEqual([1, 2, 3]);
    expect(asked).toEqual([]);
    await seqs(reader, 1, 1);
    expect(asked).toEqual([[1, 1]]);
  });

  it.each([1, 2, 3])(
    'reads the journal as it is, whoever commits, however much is kept (seed %i)',
    async (seed) => {
      const prng = new Prng(seed);
      const reader = new JournalReader(prng.between(1, 600));
      const readTo = new Map([1, 2, 3].map((id) => [id, 0]));
      for (let step = 0; step < 700; step++) {
        const id = prng.between(1, 3);
        append(id, prng.between(0, 5));
        if (prng.chance(0.9)) noteNew(reader, id);
        else journalOf(id).newRows();
        const next = prng.between(1, 3);
        const after = readTo.get(next)!;
        const read = await seqs(reader, next, after, prng.between(1, 20));
        expect(read).toEqual(read.map((_, i) => after + 1 + i));
        if (read.length === 0) expect(after).toBe(journalOf(next).events.length);
        readTo.set(next, after + read.length);
      }
      expect(asked.length).toBeGreaterThan(0);
    },
  );
});
