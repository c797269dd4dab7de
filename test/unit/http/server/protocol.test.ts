import { Agent } from 'node:http';
import { describe, expect, test } from 'vitest';
import { call, RawConnection } from '../client.ts';
import { authorized, openPublicPort } from '../open-port.ts';
import { reservationView } from '../theatre.ts';

const hold = JSON.stringify({ scheduleId: 1, seatIds: ['A-1'] });
const get = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: usher', ...headers, '', ''].join('\r\n');
const post = (path: string, body: string, ...headers: string[]) =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: usher',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
const close = 'Connection: close';

async function openPort() {
  const open = await openPublicPort();
  open.service.answer({ kind: 'reservation', view: reservationView(), replayed: false });
  const { authorization } = await authorized(open.port);
  return Object.assign(open, { authorization: `Authorization: ${authorization}` });
}

const statusesIn = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);

describe('the request id', () => {
  test.each(['a', 'req-1', '3f2504e0-4f89-11d3-9a0c-0305e82c3301', 'a.b:c_d', 'x'.repeat(128)])(
    '%s is kept',
    async (id) => {
      await using port = await openPort();
      for (const path of ['/healthz', '/nothing', '/reservations/available/seat?scheduleId=1']) {
        const answered = await call(port.port, path, { headers: { 'x-request-id': id } });
        expect(answered.headers['x-request-id']).toBe(id);
      }
    },
  );

  test.each(['', ' ', 'a b', '<script>', 'a;b', 'x'.repeat(129), 'ä', '"'])('“%s” is not', async (id) => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write(get('/healthz', `X-Request-Id: ${id}`, close));
    const answer = await connection.untilClosed();
    expect(answer).toMatch(/\r\nX-Request-Id: [A-Za-z0-9]{8}-[a-z0-9]+\r\n/);
  });

  test('is not a way to smuggle headers in', async () => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write(get('/healthz', 'X-Request-Id: a\rSet-Cookie: evil=1', close));
    const answer = await connection.untilClosed();
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain('evil');
  });

  test('given twice is none', async () => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write(get('/healthz', 'X-Request-Id: a', 'X-Request-Id: b', close));
    expect(await connection.untilClosed()).toMatch(/X-Request-Id: [A-Za-z0-9]{8}-[a-z0-9]+/);
  });

  test('is another one for each request, and the same in a problem', async () => {
    await using port = await openPort();
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(port.port, '/nothing')));
    const ids = answers.map(({ headers }) => headers['x-request-id']);
    expect(new Set(ids).size).toBe(20);
    expect(answers.map(({ json }) => json)).toMatchObject(ids.map((requestId) => ({ requestId })));
  });
});

describe('a connection', () => {
  test('carries one request after the other', async () => {
    await using port = await openPort();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const paths = ['/healthz', '/nothing', '/reservations/available/seat?scheduleId=1', '/readyz'];
    const statuses: number[] = [];
    for (const path of paths) statuses.push((await call(port.port, path, { agent })).status);
    agent.destroy();
    expect(statuses).toEqual([200, 404, 200, 200]);
  });

  test('answers pipelined requests in their order, slow ones too', async () => {
    await using port = await openPort();
    port.service.onSubmit = (_submitted, reply) =>
      setTimeout(() => reply({ kind: 'rejected', rejection: { code: 'sold-out' } }), 30);
    const connection = new RawConnection(port.port);
    connection.write(
      post('/reservations', hold, port.authorization, 'X-Request-Id: first') +
        get('/nothing', 'X-Request-Id: second') +
        get('/reservations/available/seat?scheduleId=1', 'X-Request-Id: third') +
        post('/reservations', hold, port.authorization, 'X-Request-Id: fourth') +
        get('/healthz', 'X-Request-Id: fifth', close),
    );
    const answer = await connection.untilClosed();
    expect([...answer.matchAll(/X-Request-Id: (\w+)/g)].map(([, id]) => id)).toEqual([
      'first',
      'second',
      'third',
      'fourth',
      'fifth',
    ]);
    expect(statusesIn(answer)).toEqual(['409', '404', '200', '409', '200']);
  });

  test('survives a body that nobody wanted', async () => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write(post('/reservations', 'x'.repeat(10_000)) + get('/healthz', close));
    expect(statusesIn(await connection.untilClosed())).toEqual(['401', '200']);
  });

  test('takes a body byte by byte', async () => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.socket.setNoDelay(true);
    for (const byte of post('/reservations', hold, port.authorization, close)) {
      connection.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(statusesIn(await connection.untilClosed())).toEqual(['201']);
  });

  test('whose client leaves in the middle of a body leaves nothing behind', async () => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write(post('/reservations', hold, port.authorization).slice(0, -5));
    await new Promise((resolve) => setTimeout(resolve, 20));
    connection.socket.destroy();
    expect((await call(port.port, '/healthz')).status).toBe(200);
    expect(port.service.submitted).toEqual([]);
    expect(port.log).toEqual([]);
  });

  test('whose client leaves before its answer is only counted', async () => {
    await using port = await openPort();
    let answer = () => {};
    const submitted = new Promise<void>((resolve) => {
      port.service.onSubmit = (_submitted, reply) => {
        answer = () => reply({ kind: 'reservation', view: reservationView(), replayed: false });
        resolve();
      };
    });
    const connection = new RawConnection(port.port);
    connection.write(post('/reservations', hold, port.authorization));
    await submitted;
    // With a reset: a client that only shuts its side down may still want the answer.
    connection.socket.resetAndDestroy();
    await connection.untilClosed();
    await call(port.port, '/healthz');
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    const text = await port.metrics.text();
    expect(text).toContain('usher_http_requests_total{method="POST",route="/reservations",status="499"} 1');
    expect(port.log).toEqual([]);
  });
});

describe('HEAD', () => {
  test.each([
    ['/healthz', 200],
    ['/performances', 200],
    ['/venues/1/layout', 200],
    ['/openapi.json', 200],
    ['/docs', 200],
    ['/nothing', 404],
    ['/reservations', 401],
  ])('%s: %i, and no body', async (path, status) => {
    await using port = await openPort();
    const full = await call(port.port, path, { headers: { 'x-request-id': 'same' } });
    const head = await call(port.port, path, { method: 'HEAD', headers: { 'x-request-id': 'same' } });
    expect(head).toMatchObject({ status, text: '' });
    expect(head.headers['content-length']).toBe(full.headers['content-length']);
  });
});

describe('Expect: 100-continue', () => {
  test('is told to go on', async () => {
    await using port = await openPort();
    const [head = '', body = ''] = post(
      '/reservations',
      hold,
      port.authorization,
      'Expect: 100-continue',
      close,
    ).split(/(?<=\r\n\r\n)/);
    const connection = new RawConnection(port.port);
    connection.write(head);
    await connection.until(/100 Continue/);
    connection.write(body);
    expect(statusesIn(await connection.untilClosed())).toEqual(['100', '201']);
  });

  test('is not, when the request is refused anyway', async () => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    const [head = ''] = post('/reservations', hold, 'Expect: 100-continue').split(/(?<=\r\n\r\n)/);
    connection.write(head);
    expect(statusesIn(await connection.untilClosed())).toEqual(['401']);
  });

  test('other expectations are no reason to refuse', async () => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write(get('/healthz', 'Expect: tea', close));
    expect(statusesIn(await connection.untilClosed())).toEqual(['200']);
  });
});

describe('a body that is too large', () => {
  const limit = 16 * 1024;
  const tooLarge = {
    status: 413,
    json: { code: 'body-too-large', detail: `A body may have at most ${limit} bytes here.` },
  };

  test.each(['/reservations', '/reservations/pay', '/auth/token'])(
    'declared, at %s: refused unread',
    async (path) => {
      await using port = await openPort();
      const connection = new RawConnection(port.port);
      connection.write(
        [
          `POST ${path} HTTP/1.1`,
          'Host: usher',
          port.authorization,
          `Content-Length: ${limit + 1}`,
          '',
          '',
        ].join('\r\n'),
      );
      const answer = await connection.untilClosed();
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain('Connection: close');
    },
  );

  test.each(['/reservations', '/reservations/pay', '/auth/token'])(
    'in chunks, at %s: refused as it comes',
    async (path) => {
      await using port = await openPort();
      const headers = {
        ...(await authorized(port.port)),
        'content-type': 'application/json',
        'transfer-encoding': 'chunked',
      };
      const body = `"${'x'.repeat(limit)}"`;
      const answered = await call(port.port, path, { method: 'POST', headers, body });
      expect(answered).toMatchObject({ ...tooLarge, headers: { connection: 'close' } });
    },
  );

  test('a client that goes on sending still gets its answer', async () => {
    await using port = await openPort();
    const body = 'x'.repeat(4 * 1024 * 1024);
    const answered = await call(port.port, '/reservations', {
      method: 'POST',
      headers: await authorized(port.port),
      body,
    });
    expect(answered).toMatchObject(tooLarge);
  });

  test('one of exactly the limit is read', async () => {
    await using port = await openPort();
    const filler = hold.padEnd(limit, ' ');
    const headers = { ...(await authorized(port.port)), 'content-type': 'application/json' };
    const answered = await call(port.port, '/reservations', { method: 'POST', headers, body: filler });
    expect(answered.status).toBe(201);
  });
});

describe('what is no proper HTTP', () => {
  test.each<[name: string, request: string, status: string]>([
    ['garbage', 'hello\r\n\r\n', '400'],
    ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', '400'],
    ['a header with a space', 'GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n', '400'],
    [
      'two lengths',
      'POST /reservations HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      '400',
    ],
    [
      'a length and chunks',
      'POST /reservations HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      '400',
    ],
    ['a length that is none', 'POST /reservations HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', '400'],
    [
      'too many headers',
      `GET /healthz HTTP/1.1\r\nHost: a\r\nX-Filler: ${'x'.repeat(20_000)}\r\n\r\n`,
      '431',
    ],
    ['a target that is no path', 'GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '400'],
    ['a host that is none', 'GET /healthz HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n', '400'],
  ])('%s: %s', async (_name, request, status) => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write(request);
    const answer = await connection.untilClosed();
    expect(statusesIn(answer)).toEqual([status]);
    expect(answer).toMatch(/X-Request-Id: \S/);
    expect(answer).toContain('Content-Type: application/problem+json');
    const { code } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
    expect(code).toBe(status === '431' ? 'headers-too-large' : 'invalid-request');
  });

  test('HTTP/1.0 without a host is fine', async () => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write('GET /performances HTTP/1.0\r\n\r\n');
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('garbage behind a request whose answer is owed is not answered before it', async () => {
    await using port = await openPort();
    port.service.onSubmit = () => {};
    const connection = new RawConnection(port.port);
    connection.write(`${post('/reservations', hold, port.authorization)}garbage\r\n\r\n`);
    expect(await connection.untilClosed()).toBe('');
  });
});

describe('a path', () => {
  test.each([
    ['/reservations/available/seat?scheduleId=1', 200],
    ['/reservations/available/se%61t?scheduleId=1', 200],
    ['http://elsewhere/reservations/available/seat?scheduleId=1', 200],
    ['/reservations/available/../available/seat?scheduleId=1', 200],
    ['/RESERVATIONS/available/seat?scheduleId=1', 404],
    // One segment: the id of a reservation, for which a token is needed.
    ['/reservations/available%2Fseat?scheduleId=1', 401],
  ])('%s: %i', async (target, status) => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write(get(target, close));
    expect(statusesIn(await connection.untilClosed())).toEqual([String(status)]);
  });

  test('of a hold, however it is spelt, holds', async () => {
    await using port = await openPort();
    const connection = new RawConnection(port.port);
    connection.write(post('/reserv%61tions', hold, port.authorization, close));
    expect(statusesIn(await connection.untilClosed())).toEqual(['201']);
    expect(port.service.submitted).toHaveLength(1);
  });
});
