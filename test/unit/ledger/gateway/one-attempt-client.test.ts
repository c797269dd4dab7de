import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ExchangeFailed, OneAttemptClient } from '../../../../src/ledger/gateway/one-attempt-client.ts';
import { httpAnswer, ScriptedPeer } from './scripted-peer.ts';

describe('the HTTP client under the SDK', () => {
  let peer: ScriptedPeer;
  afterEach(() => peer.stop());

  const client = new OneAttemptClient(1);
  const send = (key: string, { protocol = 'http', limitMs = 1_000, port = peer.port } = {}) =>
    client.makeRequest(
      '127.0.0.1',
      `${port}`,
      '/v1/payment_intents',
      'POST',
      { 'Idempotency-Key': key, 'Content-Length': 3 },
      'a=1',
      protocol,
      limitMs,
    );
  const answerWith = async (answer: (socket: Socket, request: string) => void) => {
    peer = await ScriptedPeer.start(answer);
  };

  test('reads status, headers and JSON', async () => {
    await answerWith((socket) => socket.write(httpAnswer(402, { a: 1 }, { 'idempotency-key': 'k1' })));
    const answer = await send('k1');
    expect(answer.getStatusCode()).toBe(402);
    expect(answer.getHeaders()).toMatchObject({ 'idempotency-key': 'k1' });
    expect(await answer.toJSON()).toEqual({ a: 1 });
    expect(peer.requests[0]).toMatch(/^POST \/v1\/payment_intents HTTP\/1\.1\r\n(.+\r\n)+\r\na=1$/);
  });

  test.each<[string, (socket: Socket) => void, string]>([
    ['closes before it answers', (socket) => socket.destroy(), 'ECONNRESET'],
    ['says nothing', () => undefined, 'no answer in time'],
    ['does not speak HTTP', (socket) => socket.end('220 smtp ready\r\n'), 'HPE_INVALID_CONSTANT'],
    [
      'closes in the middle of its answer',
      (socket) => socket.end(httpAnswer(200, '{}', { 'content-length': '100' })),
      'the answer broke off',
    ],
    [
      'answers without an end',
      (socket) => {
        socket.write(httpAnswer(200, '', { 'content-length': '2000000' }));
        socket.write(Buffer.alloc(1_500_000, 0x20));
      },
      'the answer is too large',
    ],
    [
      'answers another request',
      (socket) => socket.write(httpAnswer(200, {}, { 'idempotency-key': 'k0' })),
      'the answer to another request',
    ],
  ])('a peer that %s: the request may have arrived, and is sent once', async (_, answer, reason) => {
    await answerWith(answer);
    await expect(send('k1', { limitMs: 300 })).rejects.toMatchObject({ reason, mayHaveArrived: true });
    expect(peer.requests).toHaveLength(1);
  });

  test('an answer that drips in for ever ends at the limit', async () => {
    let drip: NodeJS.Timeout | undefined;
    await answerWith((socket) => {
      socket.write(httpAnswer(200, '', { 'content-length': '1000' }));
      drip = setInterval(() => socket.write(' '), 20);
    });
    await expect(send('k1', { limitMs: 200 })).rejects.toThrow(new ExchangeFailed('no answer in time', true));
    clearInterval(drip);
  });

  test('nobody listens: certainly not sent', async () => {
    await answerWith(() => undefined);
    await peer.stop();
    await expect(send('k1')).rejects.toMatchObject({ reason: 'ECONNREFUSED', mayHaveArrived: false });
    await answerWith(() => undefined);
  });

  test('a header that there can’t be: certainly not sent', async () => {
    await answerWith(() => undefined);
    const failure = await send('k1\nk2').catch((error: unknown) => error);
    expect(failure).toEqual(new ExchangeFailed('ERR_INVALID_CHAR', false));
    expect(peer.requests).toEqual([]);
  });

  test('a port that there can’t be: certainly not sent', async () => {
    await answerWith(() => undefined);
    const failure = await send('k1', { port: 70_000 }).catch((error: unknown) => error);
    expect(failure).toEqual(new ExchangeFailed('ERR_SOCKET_BAD_PORT', false));
  });

  test('no TLS where it is asked for: certainly not sent', async () => {
    await answerWith((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const failure = send('k1', { protocol: 'https' });
    await expect(failure).rejects.toMatchObject({ mayHaveArrived: false });
    expect(peer.requests[0]).not.toContain('k1');
  });

  test('a connection that was kept and is broken now: it may have arrived', async () => {
    let isFirst = true;
    await answerWith((socket) => {
      if (isFirst) socket.write(httpAnswer(200, {}, { connection: 'keep-alive' }));
      else socket.destroy();
      isFirst = false;
    });
    await send('k1');
    await expect(send('k2')).rejects.toMatchObject({ reason: 'ECONNRESET', mayHaveArrived: true });
    expect(peer.requests).toHaveLength(2);
  });

  test('a stray second answer is not the next request’s', async () => {
    // Whether it comes in one packet with the first or later: the next request never takes it for its own.
    for (const delayMs of [0, 5]) {
      await answerWith((socket, request) => {
        const [, key = ''] = /idempotency-key: (\S+)/i.exec(request) ?? [];
        const twice = httpAnswer(200, { key }, { 'idempotency-key': key });
        if (key !== 'k1') return void socket.write(twice);
        if (delayMs === 0) return void socket.write(twice + twice);
        socket.write(twice);
        setTimeout(() => socket.write(twice), delayMs);
      });
      expect(await (await send('k1')).toJSON()).toEqual({ key: 'k1' });
      await new Promise((resolve) => setTimeout(resolve, 30));
      const second = await send('k2').then(
        (answer) => answer.toJSON(),
        (error: ExchangeFailed) => error.reason,
      );
      expect([{ key: 'k2' }, 'the answer to another request', 'ECONNRESET']).toContainEqual(second);
      await peer.stop();
    }
    await answerWith(() => undefined);
  });
});
