import { describe, expect, test } from 'vitest';
import { openAdminPort } from '../http/open-port.ts';
import { clusterStatus, nodeStatus, plannedAtMs } from '../http/scripted-cluster.ts';
import { runCluster, shard } from './cluster-stage.ts';

const shards = [
  shard(0, { epoch: 3 }),
  shard(1, { epoch: 5, state: 'moving', requestsPerSecond: 20 }),
  shard(2, { epoch: 3 }),
  shard(3, { ownerNodeId: 'node-2', epoch: 2, state: 'orphaned' }),
  shard(4, { ownerNodeId: undefined, epoch: 0, state: 'orphaned' }),
];

const status = clusterStatus({
  nodes: [
    nodeStatus('node-1', { shards: 3, requestsPerSecond: 20.25 }),
    nodeStatus('node-2', { state: 'lost', heartbeatAgeMs: 12_340, version: '1.0.1' }),
    nodeStatus('node-3', { state: 'lost', heartbeatAgeMs: 0, version: '', url: '' }),
  ],
  shards,
  moves: [
    {
      moveId: 9,
      shardId: 1 as (typeof shards)[number]['shardId'],
      fromNodeId: 'node-1',
      toNodeId: 'node-2',
      phase: 'sealed',
      startedAtMs: plannedAtMs,
    },
  ],
  disagreements: ['shard 3: the registry says node-1, the store node-2'],
});

const shown = `DISAGREEMENTS: 1
  ! shard 3: the registry says node-1, the store node-2

coordinator: node-1

node    state  version  heartbeat   shards  requests/s  url
node-1  up     1.0.0    0.2 s ago   3       20.3        http://node-1:8080
node-2  LOST   1.0.1    12.3 s ago  0       0.0         http://node-2:8080
node-3  LOST   –        –           0       0.0         –

owner     shards  epochs  which
(nobody)  1       0       4
node-1    3       3–5     0–2
node-2    1       2       3

5 shards, 2 active
moving: 1 (1)
ORPHANED: 2 (3–4)

move  shard  from    to      phase   since
9     1      node-1  node-2  sealed  2026-12-01T11:00:00.000Z
`;

describe('cluster status', () => {
  test('shows nodes, owners, what moves, and loudly what disagrees', async () => {
    await using open = await openAdminPort();
    open.cluster.onStatus = () => status;
    expect(await runCluster(open.port, 'status')).toEqual({ status: 0, stdout: shown, stderr: '' });
  });

  test('shows each shard where asked', async () => {
    await using open = await openAdminPort();
    open.cluster.onStatus = () => status;
    const { stdout } = await runCluster(open.port, 'status', '--shards');
    expect(stdout).toContain(
      [
        'shard  owner     epoch  state     requests/s',
        '0      node-1    3      active    0.0',
        '1      node-1    5      moving    20.0',
        '2      node-1    3      active    0.0',
        '3      node-2    2      ORPHANED  0.0',
        '4      (nobody)  0      ORPHANED  0.0',
      ].join('\n'),
    );
  });

  test('of a cluster at peace has no warnings', async () => {
    await using open = await openAdminPort();
    open.cluster.onStatus = () => clusterStatus({ shards: [shard(0)] });
    const { stdout } = await runCluster(open.port, 'status');
    expect(stdout).toMatch(/^coordinator: node-1\n/);
    expect(stdout).toContain('1 shards, 1 active\n\nmoves in flight: none\n');
    expect(stdout).not.toMatch(/DISAGREE|REGISTRY|ORPHANED|moving:/);
  });

  test('says that the registry is away, and that nobody coordinates', async () => {
    await using open = await openAdminPort();
    open.cluster.onStatus = () => clusterStatus({ isRegistryUp: false, coordinatorNodeId: undefined });
    const { stdout } = await runCluster(open.port, 'status');
    expect(stdout).toMatch(/^THE REGISTRY DOES NOT ANSWER: .*\n\ncoordinator: NONE\n/);
  });

  test('is JSON for machines, as the port gave it', async () => {
    await using open = await openAdminPort();
    open.cluster.onStatus = () => status;
    const { stdout } = await runCluster(open.port, 'status', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      nodes: status.nodes,
      shards: [...shards.slice(0, 4), { ...shards[4], ownerNodeId: null }],
      moves: [{ moveId: 9, startedAt: '2026-12-01T11:00:00.000Z' }],
      registry: 'up',
    });
  });
});

describe('cluster actions', () => {
  const action = { atMs: plannedAtMs, who: 'ada@ops', what: 'drain node-1', why: 'upgrade' };

  test('are listed', async () => {
    await using open = await openAdminPort();
    open.cluster.actions = [action];
    const { stdout } = await runCluster(open.port, 'actions', '--limit', '5');
    expect(stdout).toBe(
      [
        'at                        who      what          why',
        '2026-12-01T11:00:00.000Z  ada@ops  drain node-1  upgrade',
        '',
      ].join('\n'),
    );
    expect(open.cluster.asked).toEqual([{ listActions: 5 }]);
  });

  test('as JSON', async () => {
    await using open = await openAdminPort();
    open.cluster.actions = [action];
    const { stdout } = await runCluster(open.port, 'actions', '--json');
    expect(JSON.parse(stdout)).toEqual({
      actions: [{ at: '2026-12-01T11:00:00.000Z', who: 'ada@ops', what: 'drain node-1', why: 'upgrade' }],
    });
  });
});
