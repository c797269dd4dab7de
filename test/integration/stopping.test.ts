import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createHall } from './small-hall.ts';
import { adminToken, temporaryDirectory, UsherProcess } from './usher-process.ts';

const reserve = (usher: UsherProcess, token: string, body: object, key: string) =>
  fetch(`${usher.publicUrl}/reservations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });

test('SIGTERM: what was accepted is answered and kept, then the process ends with 0', async () => {
  const directory = temporaryDirectory();
  let usher = await UsherProcess.start(directory.path);
  try {
    const { scheduleId, seatIds } = await createHall(usher, { rows: 10, seatsPerRow: 20 });
    const token = await usher.token('ada');
    const answers = seatIds.map(async (seatId) => {
      const response = await reserve(usher, token, { scheduleId, seatIds: [seatId] }, seatId).catch(
        () => undefined,
      );
      return response?.status === 201 ? seatId : undefined;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await usher.stop('SIGTERM')).toBe(0);
    const held = (await Promise.all(answers)).filter((seatId) => seatId !== undefined);

    usher = await UsherProcess.start(directory.path);
    for (const seatId of held) {
      const replay = await reserve(usher, token, { scheduleId, seatIds: [seatId] }, seatId);
      expect(replay.headers.get('idempotency-replayed'), `the hold of ${seatId} was kept`).toBe('true');
    }
  } finally {
    await usher.stop('SIGKILL');
    directory.remove();
  }
});

test('a second signal ends it at once', async () => {
  const directory = temporaryDirectory();
  const usher = await UsherProcess.start(directory.path, { SHUTDOWN_GRACE_SECONDS: '60' });
  try {
    // A request that never ends keeps a graceful stop waiting.
    const socket = connect(Number(new URL(usher.publicUrl).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      'POST /auth/token HTTP/1.1\r\nhost: usher\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    usher.signal('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const startedMs = Date.now();
    expect(await usher.stop('SIGTERM')).toBe(1);
    expect(Date.now() - startedMs).toBeLessThan(5_000);
    socket.destroy();
  } finally {
    await usher.stop('SIGKILL');
    directory.remove();
  }
});

test('an operator’s creation under a key is made once, across a restart', async () => {
  const directory = temporaryDirectory();
  let usher = await UsherProcess.start(directory.path);
  try {
    const { performanceId } = await createHall(usher, { rows: 1, seatsPerRow: 4 });
    const create = (startsAt: string) =>
      fetch(`${usher.adminUrl}/admin/schedules`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${adminToken}`,
          'content-type': 'application/json',
          'idempotency-key': 'first-night',
        },
        body: JSON.stringify({ performanceId, startsAt }),
      });
    const first = await (await create('2030-02-01T19:00:00Z')).json();
    await usher.stop('SIGKILL');
    usher = await UsherProcess.start(directory.path);
    const again = await create('2030-02-01T19:00:00Z');
    expect(again.status).toBe(201);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await again.json()).toEqual(first);
    const other = await create('2030-02-02T19:00:00Z');
    expect(await other.json()).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
  } finally {
    await usher.stop('SIGKILL');
    directory.remove();
  }
});

test('a client that shuts its side down after the request gets its answer', async () => {
  const directory = temporaryDirectory();
  const usher = await UsherProcess.start(directory.path);
  try {
    const { scheduleId } = await createHall(usher, { rows: 1, seatsPerRow: 4 });
    const token = await usher.token('ada');
    const body = JSON.stringify({ scheduleId, seatIds: ['R1-1'] });
    const socket = connect({
      port: Number(new URL(usher.publicUrl).port),
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    socket.end(
      `POST /reservations HTTP/1.1\r\nhost: usher\r\nauthorization: Bearer ${token}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toMatch(/^HTTP\/1\.1 201 Created/);
  } finally {
    await usher.stop('SIGKILL');
    directory.remove();
  }
});

test('a second process on the same DATA_DIR is refused with a line that says why', async () => {
  const directory = temporaryDirectory();
  const usher = await UsherProcess.start(directory.path);
  try {
    const second = UsherProcess.start(directory.path);
    await expect(second).rejects.toThrow(
      new RegExp(`usher: .*${directory.path}.*in use by process ${usher.pid}`),
    );
    expect((await fetch(`${usher.publicUrl}/readyz`)).status).toBe(200);
  } finally {
    await usher.stop('SIGKILL');
    directory.remove();
  }
});
