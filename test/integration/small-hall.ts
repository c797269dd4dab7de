import type { UsherProcess } from './usher-process.ts';

/** A hall of `rows` × `seatsPerRow` seats named `R<row>-<seat>`, one category, put on sale. */
export async function createHall(
  usher: UsherProcess,
  options: { rows: number; seatsPerRow: number; performance?: object; schedule?: object },
): Promise<{ venueId: number; performanceId: number; scheduleId: number; seatIds: readonly string[] }> {
  const rows = Array.from({ length: options.rows }, (_, row) => ({
    name: `${row + 1}`,
    seats: Array.from({ length: options.seatsPerRow }, (_, seat) => ({
      seatId: `R${row + 1}-${seat + 1}`,
      number: `${seat + 1}`,
      category: 'Stalls',
    })),
  }));
  const layout = { name: 'Test hall', sections: [{ name: 'Stalls', rows }] };
  const { venueId } = await created<{ venueId: number }>(usher.admin('POST', '/admin/venues', layout));
  const { performanceId } = await created<{ performanceId: number }>(
    usher.admin('POST', '/admin/performances', {
      name: 'Test performance',
      venueId,
      currency: 'EUR',
      prices: [{ category: 'Stalls', priceMinor: 4_500 }],
      ...options.performance,
    }),
  );
  const scheduleId = await createSchedule(usher, { performanceId, ...options.schedule });
  const seatIds = rows.flatMap((row) => row.seats.map((seat) => seat.seatId));
  return { venueId, performanceId, scheduleId, seatIds };
}

/** Another date. */
export async function createSchedule(
  usher: UsherProcess,
  schedule: { performanceId: number },
): Promise<number> {
  const body = { startsAt: '2030-01-01T19:00:00.000Z', ...schedule };
  const answer = usher.admin('POST', '/admin/schedules', body);
  return (await created<{ scheduleId: number }>(answer)).scheduleId;
}

async function created<T>(response: Promise<Response>): Promise<T> {
  const answer = await response;
  if (answer.status !== 201) throw new Error(`expected 201, got ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}
