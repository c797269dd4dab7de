import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { payment, SandboxClient } from './sandbox-client.ts';

const intents = '/v1/payment_intents';

describe('the sandbox’s search for intents', () => {
  let sandbox: SandboxClient;
  /** By the names of `made`. */
  const ids = new Map<string, string>();
  const made: readonly [string, string, Record<string, string>][] = [
    ['charged here', 'approve', { 'metadata[paymentId]': '1-1-2', 'metadata[place]': 'here' }],
    ['charged there', 'approve', { 'metadata[paymentId]': '1-1-2', 'metadata[place]': 'there' }],
    ['declined', 'decline-lost-card', { 'metadata[paymentId]': '1-1-2', 'metadata[place]': 'here' }],
    ['given back', 'approve', { 'metadata[paymentId]': '1-2-2', 'metadata[place]': 'here' }],
    ['elsewhere', 'approve', { 'metadata[place]': ' AND status:' }],
  ];

  beforeAll(async () => {
    sandbox = await SandboxClient.start();
    for (const [name, card, metadata] of made) {
      const { 'metadata[paymentId]': _, ...form } = payment(card, name);
      const { body } = await sandbox.post(intents, name, { ...form, ...metadata });
      ids.set(name, body.id ?? body.error.payment_intent.id);
    }
    await sandbox.post('/v1/refunds', 'refund', { payment_intent: ids.get('given back') ?? '' });
  });
  afterAll(() => sandbox.close());

  test.each<[string, readonly string[]]>([
    ["metadata['paymentId']:'1-1-2'", ['declined', 'charged there', 'charged here']],
    ["metadata['paymentId']:'1-1-2' AND status:'succeeded'", ['charged there', 'charged here']],
    ["status:'succeeded' AND metadata['place']:'here'", ['given back', 'charged here']],
    ["metadata['paymentId']:'1-1-2' AND metadata['place']:'here' AND status:'succeeded'", ['charged here']],
    ["metadata['paymentId']:'1-2-2' AND status:'succeeded'", ['given back']],
    ["status:'requires_payment_method'", ['declined']],
    ["metadata['paymentId']:'1-1'", []],
    ["metadata['constructor']:'1-1-2'", []],
    ["metadata['place']:' AND status:'", ['elsewhere']],
    ["status:'canceled'", []],
  ])('%s', async (query, names) => {
    const { status, body } = await sandbox.search(query);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      object: 'search_result',
      has_more: false,
      url: '/v1/payment_intents/search',
      next_page: null,
    });
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual(names.map((name) => ids.get(name)));
  });

  test('answers with the intents as they are read one by one', async () => {
    const id = ids.get('declined');
    const { body } = await sandbox.search("status:'requires_payment_method'");
    expect(body.data).toEqual([(await sandbox.get(`${intents}/${id}`)).body]);
  });

  test('gives no more than it is asked for, and says that there are more', async () => {
    const { body } = await sandbox.search("metadata['paymentId']:'1-1-2'", { limit: '2' });
    expect(body).toMatchObject({ data: [{ id: ids.get('declined') }, {}], has_more: true });
    expect(body.data).toHaveLength(2);
  });

  test.each([
    '',
    'status',
    'status:succeeded',
    'status:"succeeded"',
    "status:''",
    "status:'succeeded' ",
    "status:'succeeded' AND ",
    "status:'succeeded' OR status:'canceled'",
    "status:'succeeded' status:'canceled'",
    "-status:'succeeded'",
    "status~'succeeded'",
    "amount:'1200'",
    "metadata[paymentId]:'1-1-2'",
    "metadata['']:'1-1-2'",
    "metadata['paymentId']:'1-1-2' AND currency:'eur'",
    "metadata['paymentId']:'1\\'2'",
    Array(11).fill("status:'succeeded'").join(' AND '),
  ])('does not understand %j', async (query) => {
    expect(await sandbox.search(query)).toMatchObject({
      status: 400,
      body: { error: { type: 'invalid_request_error', param: 'query' } },
    });
  });

  test.each([
    [{ limit: '0' }, 'limit'],
    [{ limit: '101' }, 'limit'],
    [{ limit: 'x' }, 'limit'],
    [{ page: 'next' }, 'page'],
  ])('refuses %o', async (more, param) => {
    const answer = await sandbox.search("status:'succeeded'", more);
    expect(answer).toMatchObject({ status: 400, body: { error: { param } } });
  });

  test('wants a query, and an API key', async () => {
    expect(await sandbox.get(`${intents}/search`)).toMatchObject({
      status: 400,
      body: { error: { code: 'parameter_missing', param: 'query' } },
    });
    const query = new URLSearchParams({ query: "status:'succeeded'" });
    expect((await fetch(`${sandbox.url}${intents}/search?${query}`)).status).toBe(401);
  });
});
