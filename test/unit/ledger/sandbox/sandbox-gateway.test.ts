import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startSandboxGateway } from '../../../../src/ledger/sandbox/sandbox-gateway.ts';
import { payment, SandboxClient } from './sandbox-client.ts';

const intents = '/v1/payment_intents';

describe('the sandbox gateway', () => {
  let sandbox: SandboxClient;
  let keys = 0;
  const newKey = () => `key-${++keys}`;
  const pay = (card: string, key: string, more: Record<string, string> = {}) =>
    sandbox.post(intents, key, payment(card, key, more));

  beforeAll(async () => {
    sandbox = await SandboxClient.start();
  });
  afterEach(async () => {
    await sandbox.turn('up', {});
    await sandbox.turn('delay', { ms: 0 });
  });
  afterAll(() => sandbox.close());

  test.each([
    ['approve', 200, { status: 'succeeded', amount: 1200, amount_received: 1200, currency: 'eur' }, 1],
    ['pm_card_visa', 200, { status: 'succeeded' }, 1],
    ['delay-20', 200, { status: 'succeeded' }, 1],
    ['twice', 200, { status: 'succeeded' }, 1],
    [
      'decline-insufficient-funds',
      402,
      { error: { type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' } },
      0,
    ],
    [
      'pm_of-nobody',
      400,
      { error: { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method' } },
      0,
    ],
    ['decline-', 400, { error: { code: 'resource_missing' } }, 0],
    ['delay-600001', 400, { error: { code: 'resource_missing' } }, 0],
  ])('the card %s', async (card, status, body, charges) => {
    const key = newKey();
    const first = await pay(card, key);
    expect(first).toMatchObject({ status, body, isReplay: false });
    expect(await pay(card, key)).toEqual({ ...first, isReplay: true });
    expect(await sandbox.chargesOf(key)).toBe(charges);
  });

  test.each<[Record<string, string>, object]>([
    [{ amount: '0' }, { code: 'parameter_invalid_integer', param: 'amount' }],
    [{ amount: '-5' }, { code: 'parameter_invalid_integer', param: 'amount' }],
    [{ amount: '12.5' }, { code: 'parameter_invalid_integer', param: 'amount' }],
    [{ amount: '1e3' }, { code: 'parameter_invalid_integer', param: 'amount' }],
    [{ amount: '100000000' }, { code: 'amount_too_large', param: 'amount' }],
    [{ currency: 'EURO' }, { code: 'currency_invalid', param: 'currency' }],
  ])('refuses %o, and leaves the key free', async (wrong, error) => {
    const key = newKey();
    expect(await pay('approve', key, wrong)).toMatchObject({ status: 400, body: { error } });
    expect(await pay('approve', key)).toMatchObject({ status: 200, isReplay: false });
  });

  test('wants an API key', async () => {
    const response = await fetch(sandbox.url + intents, { method: 'POST', body: 'amount=1' });
    expect(response.status).toBe(401);
  });

  test('refuses a body without end', async () => {
    const key = newKey();
    const request = pay('approve', key, { 'metadata[x]': 'x'.repeat(70_000) });
    expect(await request).toMatchObject({ status: 413 });
  });

  test('answers only what it knows', async () => {
    expect((await sandbox.get('/v1/customers')).status).toBe(404);
    expect((await sandbox.get(`${intents}/pi_of-nobody`)).status).toBe(404);
  });

  describe('a key', () => {
    test('belongs to its first parameters', async () => {
      const key = newKey();
      await pay('approve', key);
      expect(await pay('approve', key, { amount: '1300' })).toMatchObject({
        status: 400,
        body: { error: { type: 'idempotency_error' } },
      });
      expect(await pay('approve', key)).toMatchObject({ status: 200, isReplay: true });
    });

    test('and to its first path', async () => {
      const key = newKey();
      const { body } = await pay('approve', key);
      const refund = await sandbox.post('/v1/refunds', key, { payment_intent: body.id });
      expect(refund).toMatchObject({ status: 400, body: { error: { type: 'idempotency_error' } } });
    });

    test('is in use while its request is worked on', async () => {
      const key = newKey();
      const first = pay('delay-200', key);
      await sleep(50);
      const inUse = { status: 409, body: { error: { code: 'idempotency_key_in_use' } } };
      expect(await pay('delay-200', key)).toMatchObject(inUse);
      expect(await pay('approve', key)).toMatchObject(inUse);
      expect(await first).toMatchObject({ status: 200, isReplay: false });
    });

    test('that was claimed without a card never charges', async () => {
      const key = newKey();
      const claim = { amount: '1200', currency: 'eur', confirm: 'false' };
      expect(await sandbox.post(intents, key, claim)).toMatchObject({
        status: 200,
        body: { status: 'requires_payment_method', amount_received: 0 },
      });
      expect((await pay('approve', key)).status).toBe(400);
      expect(await sandbox.chargesOf(key)).toBe(0);
    });
  });

  test('hang: no answer and no charge; the key is free when the client has gone', async () => {
    const key = newKey();
    const leaving = new AbortController();
    const hanging = sandbox.post(intents, key, payment('hang', key), leaving.signal);
    await sleep(50);
    expect((await pay('approve', key)).status).toBe(409);
    leaving.abort();
    await expect(hanging).rejects.toThrow('aborted');
    await sleep(50);
    expect(await pay('approve', key)).toMatchObject({ status: 200, isReplay: false });
    expect(await sandbox.chargesOf(key)).toBe(1);
  });

  test('approve-then-drop: charged, no answer, and an answer when asked again', async () => {
    const key = newKey();
    await expect(pay('approve-then-drop', key)).rejects.toThrow('fetch failed');
    expect(await sandbox.chargesOf(key)).toBe(1);
    expect(await pay('approve-then-drop', key)).toMatchObject({
      status: 200,
      isReplay: true,
      body: { status: 'succeeded' },
    });
    expect(await sandbox.chargesOf(key)).toBe(1);
  });

  test('twice: one charge, and two answers on the wire', async () => {
    const key = newKey();
    const body = new URLSearchParams(payment('twice', key)).toString();
    const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
    socket.write(
      `POST ${intents} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\nidempotency-key: ${key}\r\n` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    let text = '';
    socket.on('data', (data) => {
      text += data;
    });
    await sleep(100);
    socket.destroy();
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    const [first, second] = text.match(/\{.*\}/g) ?? [];
    expect(JSON.parse(first ?? '')).toMatchObject({ status: 'succeeded' });
    expect(second).toBe(first);
    expect(text.match(/idempotent-replayed: true/g)).toHaveLength(1);
    expect(await sandbox.chargesOf(key)).toBe(1);
  });

  test('refunds once', async () => {
    const key = newKey();
    const { body: intent } = await pay('approve', key);
    const form = { payment_intent: intent.id, 'metadata[paymentId]': key };
    const refund = await sandbox.post('/v1/refunds', `${key}-refund`, form);
    expect(refund).toMatchObject({
      status: 200,
      body: { object: 'refund', status: 'succeeded', amount: 1200, payment_intent: intent.id },
    });
    expect(await sandbox.post('/v1/refunds', `${key}-refund`, form)).toEqual({ ...refund, isReplay: true });
    expect(await sandbox.post('/v1/refunds', `${key}-more`, form)).toMatchObject({
      status: 400,
      body: { error: { code: 'charge_already_refunded' } },
    });
    const { body } = await sandbox.get(`/sandbox/charges?paymentId=${key}`);
    expect(body.charges).toEqual([
      {
        paymentIntentId: intent.id,
        paymentId: key,
        amount: 1200,
        currency: 'eur',
        refunded: true,
        refunds: [{ refundId: refund.body.id, amount: 1200 }],
      },
    ]);
  });

  test('gives nothing back of what was never charged', async () => {
    const declined = await pay('decline-lost-card', newKey());
    const { id } = declined.body.error.payment_intent;
    expect((await sandbox.get(`${intents}/${id}`)).body).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { decline_code: 'lost_card' },
    });
    const refund = (key: string, form: Record<string, string>) => sandbox.post('/v1/refunds', key, form);
    expect((await refund(newKey(), { payment_intent: id })).body.error.code).toBe(
      'payment_intent_unexpected_state',
    );
    expect((await refund(newKey(), { payment_intent: 'pi_0' })).body.error.code).toBe('resource_missing');
    expect((await refund(newKey(), {})).body.error.code).toBe('parameter_missing');
  });

  test('down: calls break, those under way as well; up: they are answered', async () => {
    const key = newKey();
    const underWay = expect(pay('delay-100', key)).rejects.toThrow('fetch failed');
    await sleep(30);
    expect((await sandbox.turn('down', {})).body).toEqual({ down: true, delayMs: 0 });
    await underWay;
    await expect(pay('approve', newKey())).rejects.toThrow('fetch failed');
    expect((await sandbox.turn('up', {})).body).toEqual({ down: false, delayMs: 0 });
    // What had begun was carried out, as a service behind a broken line would.
    await sleep(150);
    expect(await pay('delay-100', key)).toMatchObject({ status: 200, isReplay: true });
  });

  test('down for a while comes back by itself', async () => {
    await sandbox.turn('down', { seconds: 0.1 });
    await expect(pay('approve', newKey())).rejects.toThrow('fetch failed');
    await sleep(200);
    expect((await pay('approve', newKey())).status).toBe(200);
  });

  test('delay holds every call', async () => {
    await sandbox.turn('delay', { ms: 150 });
    const startedMs = performance.now();
    expect((await pay('approve', newKey())).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(145);
  });

  test.each<[string, unknown, number]>([
    ['down', { seconds: -1 }, 400],
    ['down', { seconds: 'x' }, 400],
    ['down', 'no JSON', 400],
    ['delay', {}, 400],
    ['delay', { ms: 600_001 }, 400],
    ['sideways', {}, 404],
  ])('%s %o is refused', async (command, body, status) => {
    expect((await sandbox.turn(command, body)).status).toBe(status);
    expect((await pay('approve', newKey())).status).toBe(200);
  });

  test('a port that is taken', async () => {
    const port = Number(new URL(sandbox.url).port);
    await expect(startSandboxGateway({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
