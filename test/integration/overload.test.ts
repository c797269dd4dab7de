import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHall } from './small-hall.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/** A full mailbox answers at once, loses nothing, and is a moment later as good as new. */
const directory = temporaryDirectory();
let usher: UsherProcess;

beforeAll(async () => {
  usher = await UsherProcess.start(directory.path, { MAILBOX_MAX: '4' });
});

afterAll(async () => {
  await usher?.stop('SIGKILL');
  directory.remove();
});

test('over MAILBOX_MAX the answer is 503 overloaded with Retry-After, and the seats stay free', async () => {
  const { scheduleId, seatIds } = await createHall(usher, { rows: 20, seatsPerRow: 10 });
  const token = await usher.token('ada');
  const reserve = (seatId: string) =>
    fetch(`${usher.publicUrl}/reservations`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': seatId,
      },
      body: JSON.stringify({ scheduleId, seatIds: [seatId] }),
    });
  const answers = await Promise.all(seatIds.map(reserve));
  const refused = answers.filter(({ status }) => status === 503);
  const held = answers.filter(({ status }) => status === 201);
  expect(refused.length + held.length).toBe(seatIds.length);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
  expect(await refused[0]?.json()).toMatchObject({ code: 'overloaded', retryable: true });

  for (const seatId of seatIds) expect((await reserve(seatId)).status).toBe(201);
});
