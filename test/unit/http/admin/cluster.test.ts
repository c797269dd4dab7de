import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { ShardId } from '../../../../src/actors/allocator/ids.ts';
import type { ControlRefusal } from '../../../../src/actors/runtime/cluster-control.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import * as response from '../../../../src/http/routes/response-schemas.ts';
import { type Call, call } from '../client.ts';
import { openAdminPort, operator } from '../open-port.ts';
import { clusterStatus, moveRecord, nodeStatus, plannedAtMs } from '../scripted-cluster.ts';

const get = (port: number, path: string) => call(port, path, { headers: operator });
const post = (port: number, path: string, body?: object, headers: Call['headers'] = {}) =>
  call(port, path, {
    method: 'POST',
    headers: { ...operator, ...headers },
    ...(body !== undefined && { body }),
  });

describe('the cluster', () => {
  test('is shown: nodes, shards, moves, and what they disagree about', async () => {
    await using open = await openAdminPort();
    const nodes = [
      nodeStatus('node-1', { shards: 1, requestsPerSecond: 12.5 }),
      nodeStatus('node-2', { state: 'lost', heartbeatAgeMs: 4_000 }),
    ];
    const move = { moveId: 3, shardId: 7 as ShardId, fromNodeId: 'node-1', toNodeId: 'node-2' };
    open.cluster.onStatus = () =>
      clusterStatus({
        nodes,
        shards: [
          {
            shardId: 7 as ShardId,
            ownerNodeId: 'node-1',
            epoch: 4,
            state: 'moving',
            requestsPerSecond: 12.5,
          },
          {
            shardId: 8 as ShardId,
            ownerNodeId: undefined,
            epoch: 0,
            state: 'orphaned',
            requestsPerSecond: 0,
          },
        ],
        moves: [{ ...move, phase: 'sealed', startedAtMs: plannedAtMs }],
        disagreements: ['shard 7: the registry says node-2, the store node-1'],
        coordinatorNodeId: undefined,
        isRegistryUp: false,
      });
    const answered = await get(open.port, '/admin/cluster');
    expect(v.parse(response.clusterResponse, answered.json)).toEqual({
      nodes,
      shards: [
        { shardId: 7, ownerNodeId: 'node-1', epoch: 4, state: 'moving', requestsPerSecond: 12.5 },
        { shardId: 8, ownerNodeId: null, epoch: 0, state: 'orphaned', requestsPerSecond: 0 },
      ],
      moves: [{ ...move, phase: 'sealed', startedAt: '2026-12-01T11:00:00.000Z' }],
      disagreements: ['shard 7: the registry says node-2, the store node-1'],
      coordinatorNodeId: null,
      registry: 'down',
    });
  });

  test('with its registry up and a coordinator', async () => {
    await using open = await openAdminPort();
    expect((await get(open.port, '/admin/cluster')).json).toMatchObject({
      coordinatorNodeId: 'node-1',
      registry: 'up',
    });
  });

  test('owns a schedule, or nobody does as far as it knows', async () => {
    await using open = await openAdminPort();
    open.service.onCount = async () => ({
      seq: 0,
      capacity: 8,
      free: 8,
      held: 0,
      paying: 0,
      paid: 0,
      blocked: 0,
    });
    open.cluster.owner = undefined;
    const answered = await get(open.port, '/admin/schedules/1');
    expect(v.parse(response.countsResponse, answered.json)).toMatchObject({
      shardId: 17,
      ownerNodeId: null,
    });
  });
});

describe('an operator', () => {
  test('moves a shard', async () => {
    await using open = await openAdminPort();
    open.cluster.planned = [moveRecord(12)];
    const body = { shardId: 12, toNodeId: 'node-2', why: 'node-1 is hot' };
    const answered = await post(open.port, '/admin/cluster/move', body, { 'usher-operator': 'ada@ops' });
    expect(answered.status).toBe(202);
    expect(v.parse(response.plannedMoveResponse, answered.json)).toEqual({
      moveId: 12,
      moves: [{ moveId: 12, shardId: 12, fromNodeId: 'node-1', toNodeId: 'node-2', phase: 'planned' }],
    });
    expect(open.cluster.asked).toEqual([
      { move: 12, toNodeId: 'node-2', by: { who: 'ada@ops', why: 'node-1 is hot' } },
    ]);
  });

  test('moves shard 0', async () => {
    await using open = await openAdminPort();
    open.cluster.planned = [moveRecord(1, { shardId: 0 as ShardId })];
    const answered = await post(open.port, '/admin/cluster/move', { shardId: 0, toNodeId: 'node-2' });
    expect(answered).toMatchObject({ status: 202, json: { moveId: 1, moves: [{ shardId: 0 }] } });
  });

  test('is told when there was nothing to plan for the shard', async () => {
    await using open = await openAdminPort();
    expect(await post(open.port, '/admin/cluster/move', { shardId: 12, toNodeId: 'node-2' })).toMatchObject({
      status: 409,
      json: { code: 'not-possible', retryable: false, detail: expect.stringContaining('Shard 12') },
    });
  });

  test('drains a node', async () => {
    await using open = await openAdminPort();
    open.cluster.planned = [moveRecord(1), moveRecord(2)];
    const answered = await post(open.port, '/admin/cluster/drain', { nodeId: 'node-1' });
    expect(answered.status).toBe(202);
    expect(v.parse(response.plannedMovesResponse, answered.json).moves.map(({ moveId }) => moveId)).toEqual([
      1, 2,
    ]);
    expect(open.cluster.asked).toEqual([{ drain: 'node-1', by: { who: 'operator', why: '' } }]);
  });

  test.each([
    ['without a body', undefined] as const,
    ['not as a dry run', { dryRun: false, why: '' }] as const,
  ])('rebalances %s', async (_name, body) => {
    await using open = await openAdminPort();
    open.cluster.planned = [moveRecord(5)];
    const answered = await post(open.port, '/admin/cluster/rebalance', body);
    expect(answered.status).toBe(202);
    expect(v.parse(response.plannedMovesResponse, answered.json)).toMatchObject({ moves: [{ moveId: 5 }] });
    expect(open.cluster.asked).toEqual([{ rebalance: true, by: { who: 'operator', why: '' } }]);
  });

  test('sees what a rebalance would do, and it is not done', async () => {
    await using open = await openAdminPort();
    open.cluster.plan = [{ shardId: 3 as ShardId, fromNodeId: 'node-1', toNodeId: 'node-2', epoch: 9 }];
    const answered = await post(open.port, '/admin/cluster/rebalance', { dryRun: true });
    expect(answered.status).toBe(200);
    expect(v.parse(response.rebalancePlanResponse, answered.json)).toEqual({
      moves: [{ shardId: 3, fromNodeId: 'node-1', toNodeId: 'node-2' }],
    });
    expect(open.cluster.asked).toEqual([{ planRebalance: true }]);
  });

  test.each([
    [moveRecord(12, { phase: 'running' }), { phase: 'running', detail: '', endedAt: null }],
    [
      moveRecord(12, { phase: 'failed', detail: 'node-2 is silent', endedAtMs: plannedAtMs + 1_234 }),
      { phase: 'failed', detail: 'node-2 is silent', endedAt: '2026-12-01T11:00:01.234Z' },
    ],
  ])('looks at a move that is $phase', async (record, shown) => {
    await using open = await openAdminPort();
    open.cluster.moves.set(12, record);
    const answered = await get(open.port, '/admin/cluster/moves/12');
    expect(v.parse(response.moveResponse, answered.json)).toEqual({
      moveId: 12,
      shardId: 12,
      fromNodeId: 'node-1',
      toNodeId: 'node-2',
      epoch: 4,
      plannedAt: '2026-12-01T11:00:00.000Z',
      ...shown,
    });
  });

  test.each([
    ['13', 404, 'not-found'],
    ['0', 400, 'invalid-request'],
    ['first', 400, 'invalid-request'],
  ])('looks for a move %s that there is not', async (moveId, status, code) => {
    await using open = await openAdminPort();
    expect(await get(open.port, `/admin/cluster/moves/${moveId}`)).toMatchObject({ status, json: { code } });
  });

  test.each([
    ['', 20],
    ['?limit=1000', 1_000],
  ])('reads the audit log%s', async (query, limit) => {
    await using open = await openAdminPort();
    open.cluster.actions = [{ atMs: plannedAtMs, who: 'ada', what: 'drain node-1', why: '' }];
    const answered = await get(open.port, `/admin/cluster/actions${query}`);
    expect(v.parse(response.operatorActionsResponse, answered.json)).toEqual({
      actions: [{ at: '2026-12-01T11:00:00.000Z', who: 'ada', what: 'drain node-1', why: '' }],
    });
    expect(open.cluster.asked).toEqual([{ listActions: limit }]);
  });
});

describe('refused by the cluster', () => {
  const move = ['move', { shardId: 12, toNodeId: 'node-9' }] as const;
  const drain = ['drain', { nodeId: 'node-9' }] as const;
  const rebalance = ['rebalance', { dryRun: false }] as const;
  const dryRun = ['rebalance', { dryRun: true }] as const;
  const noNode = 'is not a node of the cluster';

  test.each([
    [move, 'unknown-node', 400, { code: 'invalid-request', errors: [{ path: 'toNodeId', message: noNode }] }],
    [
      move,
      'unknown-shard',
      400,
      { code: 'invalid-request', errors: [{ path: 'shardId', message: 'is not a shard' }] },
    ],
    [drain, 'unknown-node', 400, { code: 'invalid-request', errors: [{ path: 'nodeId', message: noNode }] }],
    ...[move, drain, rebalance, dryRun].flatMap((request) => [
      [request, 'not-a-cluster', 409, { code: 'not-a-cluster', retryable: false }] as const,
      [request, 'not-possible', 409, { code: 'not-possible', retryable: false }] as const,
      [request, 'no-registry', 503, { code: 'registry-unavailable', retryable: true }] as const,
    ]),
  ] as const)('%j: %s', async ([path, body], refusal, status, members) => {
    await using open = await openAdminPort();
    const refused: ControlRefusal = { refusal, message: 'There is a reason.' };
    open.cluster.planned = refused;
    open.cluster.plan = refused;
    const answered = await post(open.port, `/admin/cluster/${path}`, body);
    expect(answered.json).toMatchObject({ status, detail: 'There is a reason.', ...members });
    expect(answered.status).toBe(status);
    expect(answered.headers['retry-after']).toBe(status === 503 ? '5' : undefined);
  });
});

describe('refused before the cluster is asked', () => {
  test.each([
    ['move', {}, ['shardId', 'toNodeId']],
    ['move', { shardId: -1, toNodeId: 'node-2' }, ['shardId']],
    ['move', { shardId: 256, toNodeId: 'node-2' }, ['shardId']],
    ['move', { shardId: '1', toNodeId: 'node 2' }, ['shardId', 'toNodeId']],
    ['drain', {}, ['nodeId']],
    ['drain', { nodeId: 'x'.repeat(65) }, ['nodeId']],
    ['drain', { nodeId: 'node-1', why: 'x'.repeat(501) }, ['why']],
    ['drain', { nodeId: 'node-1', why: 'a\nb' }, ['why']],
    ['rebalance', { dryRun: 'yes', force: true }, ['dryRun', 'force']],
  ] as const)('%s %j', async (path, body, paths) => {
    await using open = await openAdminPort();
    const answered = await post(open.port, `/admin/cluster/${path}`, body);
    expect(answered).toMatchObject({ status: 400, json: { code: 'invalid-request' } });
    expect((answered.json['errors'] as { path: string }[]).map((fault) => fault.path)).toEqual(paths);
    expect(open.cluster.asked).toEqual([]);
  });

  test.each(['', 'x'.repeat(101), 'Zoë', 'a\tb'])('an operator called %j', async (name) => {
    await using open = await openAdminPort();
    const answered = await post(
      open.port,
      '/admin/cluster/drain',
      { nodeId: 'node-1' },
      { 'usher-operator': name },
    );
    expect(answered).toMatchObject({ status: 400, json: { errors: [{ path: 'Usher-Operator' }] } });
    expect(open.cluster.asked).toEqual([]);
  });

  test.each(['0', '1001', 'all'])('actions?limit=%s', async (limit) => {
    await using open = await openAdminPort();
    expect(await get(open.port, `/admin/cluster/actions?limit=${limit}`)).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'limit', message: 'must be an integer from 1 to 1000' }] },
    });
  });

  test.each([
    ['GET', ''],
    ['POST', '/move'],
    ['GET', '/moves/1'],
    ['POST', '/drain'],
    ['POST', '/rebalance'],
    ['GET', '/actions'],
  ])('without the operator’s token: %s /admin/cluster%s', async (method, path) => {
    await using open = await openAdminPort();
    expect((await call(open.port, `/admin/cluster${path}`, { method })).status).toBe(401);
    expect(open.cluster.asked).toEqual([]);
  });
});

test.each([
  ['GET', ''],
  ['GET', '/moves/1'],
  ['GET', '/actions'],
  ['POST', '/rebalance'],
])('while the store is away: %s /admin/cluster%s', async (method, path) => {
  await using open = await openAdminPort();
  open.cluster.failure = new StoreUnavailable('gone');
  expect(await call(open.port, `/admin/cluster${path}`, { method, headers: operator })).toMatchObject({
    status: 503,
    json: { code: 'store-unavailable', retryable: true },
  });
});

test('what an operator may say at most', async () => {
  await using open = await openAdminPort();
  const [who, why] = ['x'.repeat(100), 'é'.repeat(500)];
  const answered = await post(
    open.port,
    '/admin/cluster/drain',
    { nodeId: 'node-1', why },
    { 'usher-operator': who },
  );
  expect(answered.status).toBe(202);
  expect(open.cluster.asked).toEqual([{ drain: 'node-1', by: { who, why } }]);
});
