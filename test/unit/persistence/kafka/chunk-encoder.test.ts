import { describe, expect, it } from 'vitest';
import type { VenueId } from '../../../../src/actors/allocator/ids.ts';
import { toJournalColumns } from '../../../../src/persistence/journal-columns.ts';
import { ChunkEncoder } from '../../../../src/persistence/kafka/chunk-encoder.ts';
import { messageOverheadBytes } from '../../../../src/persistence/kafka/cloud-event.ts';
import { KnownReservations } from '../../../../src/persistence/kafka/known-reservations.ts';
import { KnownSchedules } from '../../../../src/persistence/kafka/known-schedules.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';
import { idsOf } from './publishing-stage.ts';

const seatIds = Array.from({ length: 20_000 }, (_, i) => ({ seatId: `A-${i}` }));

describe('ChunkEncoder', () => {
  const source = {
    findReservations: async () => [],
    projectAll: async () => {},
    describeSchedule: async () => ({ venueId: 1 as VenueId, currency: 'EUR' }),
    venueLayout: async () => JSON.stringify([{ rows: [{ seats: seatIds }] }]),
  };
  const prepare = (...journals: ScheduleJournal[]) => {
    const encoder = new ChunkEncoder(new KnownReservations(source), new KnownSchedules(source), () => 0);
    const rows = journals.flatMap((journal) => journal.rows());
    return encoder.prepare(toJournalColumns(rows), (scheduleId) => scheduleId === 666);
  };
  const journalOf = (scheduleId: number, holds: number) => {
    const journal = new ScheduleJournal(scheduleId, 1);
    for (let seat = 0; seat < holds; seat++) journal.hold({ seats: [seat] });
    return journal;
  };

  it('makes parts of at most so many bytes a topic, in order and complete', async () => {
    const journals = [journalOf(7, 40), journalOf(8, 40)];
    const parts = [...(await prepare(...journals)).parts(10_000)];
    expect(parts.length).toBeGreaterThan(3);
    for (const { reservations, seatsReserved, bytes, isOversize } of parts) {
      for (const messages of [reservations, seatsReserved]) {
        const sum = messages.reduce(
          (bytesSum, { value }) => bytesSum + value.length + messageOverheadBytes,
          0,
        );
        expect(sum).toBeLessThanOrEqual(10_000);
        expect(sum).toBeLessThanOrEqual(bytes);
      }
      expect(isOversize).toBe(false);
    }
    const ids = parts.flatMap(({ reservations }) => idsOf(reservations));
    expect(ids).toEqual(
      journals.flatMap(({ scheduleId, events }) => events.map(({ seq }) => `${scheduleId}-${seq}`)),
    );
    expect(parts.flatMap(({ seatsReserved }) => idsOf(seatsReserved))).toEqual(ids);
    expect(parts.reduce((sum, { events }) => sum + events, 0)).toBe(80);
  });

  it('tells of each part how far its schedules come with it', async () => {
    const [first, second] = [...(await prepare(journalOf(7, 499), journalOf(8, 3))).parts(1_000_000)];
    expect([...first!.positions]).toEqual([
      [7, 499],
      [8, 1],
    ]);
    expect([...second!.positions]).toEqual([[8, 3]]);
  });

  it('gives a part of its own to an event that is larger', async () => {
    const journal = journalOf(7, 2);
    journal.block(...Array.from({ length: 10_000 }, (_, i) => i + 5));
    journal.hold({ seats: [3] });
    const parts = [...(await prepare(journal)).parts(50_000)];
    expect(parts.map(({ reservations, isOversize }) => [idsOf(reservations), isOversize])).toEqual([
      [['7-1', '7-2'], false],
      [['7-3'], true],
      [['7-4'], false],
    ]);
  });

  it('has no parts for schedules that are to be left out', async () => {
    const chunk = await prepare(journalOf(666, 3));
    expect([[...chunk.parts(1000)], [...chunk.faults]]).toEqual([[], []]);
  });
});
