import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LoadBalancer, startLoadBalancer } from '../../scripts/servers/haproxy.ts';
import { LoadBalancedNode } from './load-balanced-node.ts';

/** Two checks a second apart, and some more. */
const noticedWithinMs = 4_000;

describe('the load balancer of deploy/', () => {
  let nodes: readonly LoadBalancedNode[];
  let balancer: LoadBalancer;

  beforeEach(async () => {
    nodes = await Promise.all([1, 2, 3].map(() => LoadBalancedNode.start()));
    balancer = await startLoadBalancer(nodes.map(({ port }) => port));
  });

  afterEach(async () => {
    await balancer.stop();
    for (const node of nodes) node.kill();
  });

  const call = async (method: string, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`${balancer.url}/reservations`, { method, headers });
    await response.arrayBuffer();
    return response;
  };
  const callMany = async (count: number, method: string) =>
    (await Promise.all(Array.from({ length: count }, () => call(method)))).map(({ status }) => status);
  const requests = () => nodes.flatMap((node) => node.requests);
  const allOk = (count: number) => Array.from({ length: count }, () => 200);

  test('spreads calls over the nodes, on connections that it keeps', async () => {
    for (let round = 0; round < 30; round += 1) expect(await callMany(10, 'POST')).toEqual(allOk(10));
    for (const node of nodes) {
      expect(node.requests.length).toBeGreaterThan(50);
      expect(node.connections.size).toBeLessThan(node.requests.length / 2);
    }
  });

  test('passes the caller’s X-Request-Id on, and makes one where there is none', async () => {
    await call('GET', { 'x-request-id': 'drop-42' });
    await call('GET');
    await call('GET');
    const [given, ...made] = requests()
      .map(({ requestId }) => requestId)
      .sort((a) => (a === 'drop-42' ? -1 : 1));
    expect(given).toBe('drop-42');
    for (const requestId of made) expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(made).size).toBe(2);
  });

  test('sends a node that is not ready nothing more, and waits for what it has', async () => {
    const [draining] = nodes as readonly [LoadBalancedNode];
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    draining.answerWith((_, response) => void goOn.then(() => response.writeHead(201).end()));
    const open = [call('POST'), call('POST'), call('POST')];
    while (draining.requests.length === 0) await delay(10);
    draining.isReady = false;
    await delay(noticedWithinMs);
    const before = draining.requests.length;
    expect(await callMany(30, 'POST')).toEqual(allOk(30));
    expect(draining.requests).toHaveLength(before);
    resolve();
    expect((await Promise.all(open)).map(({ status }) => status).sort()).toEqual([200, 200, 201]);
  });

  test('takes a call that found nobody listening to another node, also a POST', async () => {
    nodes[0]?.kill();
    expect(await callMany(60, 'POST')).toEqual(allOk(60));
  });

  test('repeats a read that was cut off, and no POST: it may have been done', async () => {
    const [broken] = nodes as readonly [LoadBalancedNode];
    broken.answerWith((request) => request.socket.destroy());
    expect(await callMany(30, 'GET')).toEqual(allOk(30));
    expect(broken.requests.length).toBeGreaterThan(0);

    const posts = await Promise.all(
      // The caller sees a 502, or that its own connection is cut off as well.
      Array.from({ length: 30 }, () =>
        call('POST').then(
          ({ status }) => status,
          () => 'cut off',
        ),
      ),
    );
    const lost = posts.filter((outcome) => outcome !== 200);
    expect(lost.length).toBe(broken.requests.filter(({ method }) => method === 'POST').length);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.filter((outcome) => outcome !== 502 && outcome !== 'cut off')).toEqual([]);
    expect(requests().filter(({ method }) => method === 'POST')).toHaveLength(30);
  });

  test('leaves a refusal as it is', async () => {
    for (const node of nodes) {
      node.answerWith((_, response) => response.writeHead(503, { 'retry-after': '2' }).end());
    }
    const response = await call('POST');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(requests()).toHaveLength(1);
  });

  test('is healthy while a node is ready', async () => {
    expect((await fetch(balancer.healthUrl)).status).toBe(200);
    for (const node of nodes) node.isReady = false;
    await delay(noticedWithinMs);
    expect((await fetch(balancer.healthUrl)).status).toBe(503);
  });
});
