import { beforeEach, describe, expect, it } from 'vitest';
import type { ReservationRef, ScheduleId, VenueId } from '../../../../src/actors/allocator/ids.ts';
import type { ReservationEvent } from '../../../../src/persistence/kafka/cloud-event.ts';
import { KnownReservations } from '../../../../src/persistence/kafka/known-reservations.ts';
import { KnownSchedules } from '../../../../src/persistence/kafka/known-schedules.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';

describe('KnownReservations', () => {
  const asked: string[][] = [];
  const source = {
    async findReservations(refs: readonly ReservationRef[]) {
      asked.push(refs.map(({ scheduleId, number }) => `${scheduleId}-${number}`));
      return refs.map(
        (ref) => ({ ...ref, userId: 'stored', seats: [1], totalMinor: 1, heldAtMs: 1 }) as never,
      );
    },
    async projectAll() {},
  };
  beforeEach(() => {
    asked.length = 0;
  });

  /** `holds` reservations, then one cancellation of each. */
  const eventsOf = (holds: number) => {
    const journal = new ScheduleJournal(7, 1);
    for (let seat = 0; seat < holds; seat++) journal.cancel(journal.hold({ seats: [seat] }));
    const events = journal.events as readonly ReservationEvent[];
    return {
      scheduleId: journal.scheduleId,
      held: events.filter((event) => event.type === 'held'),
      cancelled: events.filter((event) => event.type === 'cancelled'),
    };
  };

  it('asks for none that it was told of, and for each of the others once', async () => {
    const { scheduleId, held, cancelled } = eventsOf(3);
    const known = new KnownReservations(source);
    known.learn(scheduleId, held[0]!);
    const refs = [...cancelled, ...cancelled].map(({ number }) => ({ scheduleId, number }));
    await known.lookUp(refs);
    await known.lookUp(refs);
    expect(asked).toEqual([['7-2', '7-3']]);
    expect(cancelled.map((event) => known.get(scheduleId, event)?.userId)).toEqual([
      'ann',
      'stored',
      'stored',
    ]);
  });

  it('keeps so many, the ones that were used last', async () => {
    const { scheduleId, held, cancelled } = eventsOf(4);
    const known = new KnownReservations(source, { entriesMax: 3 });
    for (const event of held.slice(0, 3)) known.learn(scheduleId, event);
    await known.lookUp([{ scheduleId, number: cancelled[0]!.number }]);
    known.learn(scheduleId, held[3]!);
    expect(cancelled.map((event) => known.get(scheduleId, event)?.userId)).toEqual([
      'ann',
      undefined,
      'ann',
      'ann',
    ]);
  });
});

describe('KnownSchedules', () => {
  /** Venue n is of schedules 10n to 10n + 9, and has `seatsOf(n)` seats. */
  const makeKnown = (seatsOf: (venueId: number) => number) => {
    const asked: string[] = [];
    const known = new KnownSchedules({
      async describeSchedule(scheduleId) {
        asked.push(`schedule ${scheduleId}`);
        return { venueId: Math.floor(scheduleId / 10) as VenueId, currency: 'EUR' };
      },
      async venueLayout(venueId) {
        asked.push(`venue ${venueId}`);
        const seats = Array.from({ length: seatsOf(venueId) }, (_, i) => ({ seatId: `${venueId}-${i}` }));
        const half = Math.ceil(seats.length / 2);
        return JSON.stringify([
          { rows: [{ seats: seats.slice(0, half) }] },
          { rows: [{ seats: seats.slice(half) }] },
        ]);
      },
    });
    return { asked, find: (scheduleId: number) => known.find(scheduleId as ScheduleId) };
  };

  it('has the seats of all sections in the order of the layout, and asks once', async () => {
    const { asked, find } = makeKnown(() => 3);
    expect(await find(20)).toEqual({ seatIds: ['2-0', '2-1', '2-2'], currency: 'EUR' });
    await find(21);
    await find(20);
    expect(asked).toEqual(['schedule 20', 'venue 2', 'schedule 21']);
  });

  it('keeps halls of a million seats in all', async () => {
    const { asked, find } = makeKnown(() => 400_000);
    for (const scheduleId of [10, 20, 30, 20, 10])
      expect((await find(scheduleId))!.seatIds.length).toBe(400_000);
    expect(asked.filter((line) => line.startsWith('venue'))).toEqual([
      'venue 1',
      'venue 2',
      'venue 3',
      'venue 1',
    ]);
  });
});
