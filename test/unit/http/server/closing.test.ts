import { describe, expect, test } from 'vitest';
import type { Reply } from '../../../../src/actors/runtime/outcome.ts';
import { call, RawConnection } from '../client.ts';
import { authorized, openPublicPort } from '../open-port.ts';
import { reservationView } from '../theatre.ts';

const hold = JSON.stringify({ scheduleId: 1, seatIds: ['A-1'] });

/** A port with a hold under way that the test answers. */
async function openWithHold() {
  const open = await openPublicPort();
  const { authorization } = await authorized(open.port);
  const replies: Reply[] = [];
  const arrived = new Promise<void>((resolve) => {
    open.service.onSubmit = (_submitted, reply) => {
      replies.push(reply);
      resolve();
    };
  });
  const connection = new RawConnection(open.port);
  connection.write(
    [
      'POST /reservations HTTP/1.1',
      'Host: usher',
      `Authorization: ${authorization}`,
      'Content-Type: application/json',
      `Content-Length: ${hold.length}`,
      '',
      hold,
    ].join('\r\n'),
  );
  await arrived;
  const answer = () => {
    for (const reply of replies) reply({ kind: 'reservation', view: reservationView(), replayed: false });
  };
  return Object.assign(open, { connection, answer });
}

describe('closing', () => {
  test('answers what is under way, and then closes its connection', async () => {
    const open = await openWithHold();
    const closed = open.server.close(5_000);
    open.answer();
    const received = await open.connection.untilClosed();
    expect(received).toMatch(/^HTTP\/1\.1 201 /);
    expect(received).toContain('Connection: close');
    await closed;
  });

  test('accepts nobody new', async () => {
    const open = await openWithHold();
    const closed = open.server.close(5_000);
    await expect(call(open.port, '/healthz')).rejects.toThrow('ECONNREFUSED');
    open.answer();
    await closed;
  });

  test('closes idle connections, and ones that have not said a word, at once', async () => {
    await using open = await openPublicPort();
    const idle = new RawConnection(open.port);
    idle.write('GET /healthz HTTP/1.1\r\nHost: usher\r\n\r\n');
    await idle.until(/"ok"/);
    const silent = new RawConnection(open.port);
    await new Promise((resolve) => silent.socket.once('connect', resolve));
    await call(open.port, '/healthz');
    const startedMs = performance.now();
    await open.server.close(10_000);
    expect(performance.now() - startedMs).toBeLessThan(1000);
    await Promise.all([idle.untilClosed(), silent.untilClosed()]);
  });

  test('takes what comes behind a request that is under way, and says that it is not ready', async () => {
    const open = await openWithHold();
    const closed = open.server.close(5_000);
    open.connection.write('GET /readyz HTTP/1.1\r\nHost: usher\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    open.answer();
    const received = await open.connection.untilClosed();
    // The first answer ends the connection: what was pipelined behind it is the client's to send again.
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 201']);
    await closed;
  });

  test('ends by force when the time is over', async () => {
    const open = await openWithHold();
    const startedMs = performance.now();
    await open.server.close(100);
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect(await open.connection.untilClosed()).toBe('');
    open.answer();
  });

  test('twice is once', async () => {
    const open = await openPublicPort();
    await Promise.all([open.server.close(1_000), open.server.close(1_000)]);
    await open.server.close(1_000);
  });
});

test('a port that is taken is an error', async () => {
  await using open = await openPublicPort();
  const { HttpServer, serverLimits } = await import('../../../../src/http/server/http-server.ts');
  const second = new HttpServer({
    handler: () => {},
    limits: serverLimits,
    observer: open.metrics.http,
    log: { warn: () => {}, error: () => {} },
  });
  await expect(second.listen('127.0.0.1', open.port)).rejects.toThrow('EADDRINUSE');
});
