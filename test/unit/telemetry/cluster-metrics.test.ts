import { Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { ClusterMetrics } from '../../../src/telemetry/cluster-metrics.ts';

let registry: Registry;
let metrics: ClusterMetrics;
let logged: string[];
let faults: string[];
const stats = { shards: 3, parkedCalls: 2, isRegistryUp: true };

beforeEach(() => {
  registry = new Registry();
  logged = [];
  faults = [];
  metrics = new ClusterMetrics(registry, {
    log: { warn: (fields, message) => logged.push(`${message} ${JSON.stringify(fields)}`) },
    onFault: (fault) => faults.push(fault),
    stats: () => stats,
  });
});

/** Values by the beginning of their lines, without the prefix of all. */
async function values(...names: readonly string[]): Promise<readonly number[]> {
  const lines = (await registry.metrics()).split('\n');
  return names.map((name) => {
    const line = lines.find((each) => each.startsWith(`usher_cluster_${name} `));
    return Number(line?.split(' ').at(-1));
  });
}

test('calls are counted by what came of them; those that were answered are timed', async () => {
  metrics.onForwarded('submit', 'answered', 4);
  metrics.onForwarded('pay', 'answered', 40);
  metrics.onForwarded('read', 'no-answer', 2_000);
  expect(
    await values(
      'forwarded_total{result="answered"}',
      'forwarded_total{result="no-answer"}',
      'forward_seconds_count',
      'forward_seconds_bucket{le="0.005"}',
    ),
  ).toEqual([2, 1, 2, 1]);
});

test('parked calls are timed when they wait no more', async () => {
  metrics.onParked('waits', 0);
  metrics.onParked('routed', 30);
  metrics.onParked('expired', 2_000);
  expect(
    await values('parked_total{result="waits"}', 'parked_total{result="expired"}', 'parked_seconds_count'),
  ).toEqual([1, 1, 2]);
});

test('moves by how they ended, and for how long they held calls up', async () => {
  metrics.onMove('done', 20);
  metrics.onMove('taken-back', 3_000);
  expect(
    await values(
      'moves_total{outcome="done"}',
      'moves_total{outcome="taken-back"}',
      'move_blocked_seconds_count',
      'move_blocked_seconds_sum',
    ),
  ).toEqual([1, 1, 2, 3.02]);
});

test('claims and losses by shards, and in the log', async () => {
  metrics.onClaim(5, ['b/1']);
  metrics.onLost([1, 2]);
  metrics.onFault('it broke', undefined);
  expect(await values('claimed_shards_total', 'lost_shards_total')).toEqual([5, 2]);
  expect(logged.map((line) => line.split(' {')[1])).toEqual(['"shards":5,"owners":["b/1"]}', '"shards":2}']);
  expect(faults).toEqual(['it broke']);
});

test('what is so now is read when it is asked for', async () => {
  expect(await values('shards', 'parked_calls', 'registry_up')).toEqual([3, 2, 1]);
  stats.isRegistryUp = false;
  expect(await values('registry_up')).toEqual([0]);
});
