import { connect, type Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { AvailabilityView } from '../../../../src/actors/runtime/availability-view.ts';
import { call, RawConnection } from '../client.ts';
import { authorized, type OpenPort, openPublicPort } from '../open-port.ts';
import { map } from '../theatre.ts';

const checkEveryMs = 20;

/** Milliseconds until the server has closed the connection. */
async function closedAfterMs(connection: RawConnection): Promise<number> {
  const startedMs = performance.now();
  await connection.untilClosed();
  return performance.now() - startedMs;
}

/** A client that goes on with a little of something. */
function dribble(connection: RawConnection, text: string, everyMs: number): void {
  let position = 0;
  const timer = setInterval(() => {
    connection.write(text[position++ % text.length] ?? '');
  }, everyMs);
  connection.socket.once('close', () => clearInterval(timer));
}

describe('a client that is too slow is cut off', () => {
  test('that sends nothing', async () => {
    await using open = await openPublicPort({
      limits: { headersTimeoutMs: 100, requestTimeoutMs: 200, checkEveryMs },
    });
    expect(await closedAfterMs(new RawConnection(open.port))).toBeLessThan(1000);
  });

  test('that sends its headers bit by bit: 408', async () => {
    await using open = await openPublicPort({
      limits: { headersTimeoutMs: 100, requestTimeoutMs: 300, checkEveryMs },
    });
    const connection = new RawConnection(open.port);
    connection.write('GET /healthz HTTP/1.1\r\nHost: usher\r\n');
    dribble(connection, 'X-A: b\r\n', 10);
    expect(await closedAfterMs(connection)).toBeLessThan(1500);
    expect(connection.received).toMatch(/^HTTP\/1\.1 408 /);
    expect(connection.received).toContain('"code":"request-timeout"');
    expect(connection.received).toContain('Connection: close');
  });

  test.each(['/reservations', '/auth/token'])('that sends its body bit by bit, to %s: 408', async (path) => {
    await using open = await openPublicPort({
      limits: { headersTimeoutMs: 100, requestTimeoutMs: 200, checkEveryMs },
    });
    const { authorization } = await authorized(open.port);
    const connection = new RawConnection(open.port);
    connection.write(
      [
        `POST ${path} HTTP/1.1`,
        'Host: usher',
        `Authorization: ${authorization}`,
        'Content-Type: application/json',
        'Content-Length: 10000',
        '',
        '',
      ].join('\r\n'),
    );
    dribble(connection, ' ', 10);
    expect(await closedAfterMs(connection)).toBeLessThan(2000);
    expect(connection.received).toMatch(/^HTTP\/1\.1 408 /);
    expect(open.service.submitted).toEqual([]);
  });

  test('that stays without asking anything more', async () => {
    await using open = await openPublicPort({ limits: { keepAliveTimeoutMs: 100, checkEveryMs } });
    const connection = new RawConnection(open.port);
    connection.write('GET /healthz HTTP/1.1\r\nHost: usher\r\n\r\n');
    await connection.until(/"ok"/);
    expect(await closedAfterMs(connection)).toBeLessThan(2500);
  });

  test('that closes its half', async () => {
    await using open = await openPublicPort({ limits: { checkEveryMs } });
    const connection = new RawConnection(open.port);
    connection.write('GET /healthz HTTP/1.1\r\nHost: usher\r\n');
    connection.socket.end();
    expect(await closedAfterMs(connection)).toBeLessThan(1000);
  });
});

describe('a client that does not take its answer is cut off', () => {
  /** More than sockets buffer between two processes of one machine. */
  class LargeView extends AvailabilityView {
    override toSeatIdsJson(): string {
      return `["${'x'.repeat(30 * 1024 * 1024)}"]`;
    }
  }
  const request = 'GET /reservations/available/seat?scheduleId=1 HTTP/1.1\r\nHost: usher\r\n\r\n';

  /** Milliseconds until the server has let go of a client that reads as `read` says. */
  async function cutOffAfterMs(open: OpenPort, read: (socket: Socket) => void): Promise<number> {
    const socket = connect(open.port, '127.0.0.1').pause();
    socket.on('error', () => {});
    const startedMs = performance.now();
    socket.write(request);
    await vi.waitUntil(() => open.server.connections === 1);
    read(socket);
    await vi.waitUntil(() => open.server.connections === 0, { timeout: 5_000, interval: 10 });
    socket.destroy();
    return performance.now() - startedMs;
  }

  test('that takes nothing', async () => {
    await using open = await openPublicPort({
      limits: { socketTimeoutMs: 150, responseTimeoutMs: 60_000, checkEveryMs },
    });
    open.service.view = new LargeView(map, 1, () => true);
    expect(await cutOffAfterMs(open, () => {})).toBeLessThan(3000);
  });

  test('that takes a little now and then', async () => {
    await using open = await openPublicPort({
      limits: { socketTimeoutMs: 60_000, responseTimeoutMs: 200, checkEveryMs },
    });
    open.service.view = new LargeView(map, 1, () => true);
    const tookMs = await cutOffAfterMs(open, (socket) => {
      const timer = setInterval(() => socket.read(1024), 10);
      socket.once('close', () => clearInterval(timer));
    });
    expect(tookMs).toBeLessThan(3000);
  });

  test('but not one that reads', async () => {
    await using open = await openPublicPort({
      limits: { socketTimeoutMs: 500, responseTimeoutMs: 5_000, checkEveryMs },
    });
    open.service.view = new LargeView(map, 1, () => true);
    const answered = await call(open.port, '/reservations/available/seat?scheduleId=1');
    expect(answered.bytes.length).toBeGreaterThan(30 * 1024 * 1024);
  });
});

test('more connections than allowed are closed as they come', async () => {
  await using open = await openPublicPort({ limits: { connectionsMax: 2, checkEveryMs } });
  const kept = [new RawConnection(open.port), new RawConnection(open.port)];
  for (const connection of kept) connection.write('GET /healthz HTTP/1.1\r\nHost: usher\r\n\r\n');
  await Promise.all(kept.map((connection) => connection.until(/"ok"/)));
  const third = new RawConnection(open.port);
  third.write('GET /healthz HTTP/1.1\r\nHost: usher\r\n\r\n');
  expect(await third.untilClosed()).toBe('');
  for (const connection of kept) connection.socket.destroy();
});
