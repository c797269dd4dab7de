import { describe, expect, it } from 'vitest';
import type { ReservationNumber, ScheduleId, VenueId } from '../../../../src/actors/allocator/ids.ts';
import { toJournalColumns } from '../../../../src/persistence/journal-columns.ts';
import { SourceRelay } from '../../../../src/persistence/kafka/source-relay.ts';

const refsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    scheduleId: 7 as ScheduleId,
    number: (i + 1) as ReservationNumber,
  }));

describe('SourceRelay', () => {
  let published = 0;
  let lookUps = 0;
  let lookUpsAtOnce = 0;
  const relay = new SourceRelay({
    store: {
      readUnpublishedColumns: async () => ({ rows: toJournalColumns([]), backlogEvents: 40 }),
      markPublished: async () => {},
      async findReservation(scheduleId, number) {
        lookUps += 1;
        lookUpsAtOnce = Math.max(lookUpsAtOnce, lookUps);
        await Promise.resolve();
        lookUps -= 1;
        return number % 3 === 0 ? undefined : ({ scheduleId, number } as never);
      },
      projectAll: async () => {},
      loadVenueRow: async (venueId) => (venueId === 1 ? { name: 'hall', seats: 0, layout: '[]' } : undefined),
    },
    scheduleOf: async (scheduleId) =>
      scheduleId === 7 ? { venueId: 1 as VenueId, currency: 'EUR' } : undefined,
    onPublished: (events) => {
      published += events;
    },
  });

  it('asks for many reservations a few at a time, and answers in their order', async () => {
    const found = await relay.findReservations(refsOf(230));
    expect(found.map((each) => each?.number)).toEqual(
      refsOf(230).map(({ number }) => (number % 3 === 0 ? undefined : number)),
    );
    expect(lookUpsAtOnce).toBe(50);
  });

  it('knows the backlog as it was read, less what was published since', async () => {
    expect(relay.backlogEvents).toBeUndefined();
    await relay.readUnpublished(10);
    await relay.markPublished([{ scheduleId: 7 as ScheduleId, seq: 30 }], 30);
    expect([relay.backlogEvents, published]).toEqual([10, 30]);
  });

  it('has what it does not know as undefined', async () => {
    expect(await relay.describeSchedule(8 as ScheduleId)).toBeUndefined();
    expect([await relay.venueLayout(1 as VenueId), await relay.venueLayout(2 as VenueId)]).toEqual([
      '[]',
      undefined,
    ]);
  });
});
