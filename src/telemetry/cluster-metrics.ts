import type { Registry } from 'prom-client';
import { HotHistogram } from './hot-histogram.ts';
import { counterFamily, histogramFamily, labelledCounter, register } from './metric-family.ts';

/** What a node of a cluster does for others, and what others do for it. */
export class ClusterMetrics {
  readonly #forwarded = new Map<string, number>();
  readonly #forwardSeconds = new HotHistogram(secondsBounds);
  readonly #parked = new Map<string, number>();
  readonly #parkedSeconds = new HotHistogram(secondsBounds);
  readonly #moves = new Map<string, number>();
  readonly #moveSeconds = new HotHistogram(secondsBounds);
  readonly #log: ClusterLog;
  readonly #onFault: (fault: string, error: unknown) => void;
  #claimed = 0;
  #lost = 0;

  constructor(registry: Registry, options: ClusterMetricsOptions) {
    const { stats } = options;
    this.#log = options.log;
    this.#onFault = options.onFault;
    const gauge = (name: string, help: string, value: () => number) => ({
      name,
      help,
      type: 'gauge' as const,
      samples: () => [{ labels: {}, value: value() }],
    });
    for (const family of [
      labelledCounter(
        'usher_cluster_forwarded_total',
        'Calls that were sent to the node that owns the schedule, by what came of it',
        'result',
        this.#forwarded,
      ),
      histogramFamily(
        'usher_cluster_forward_seconds',
        'From sending a call to another node to its answer',
        this.#forwardSeconds,
      ),
      labelledCounter(
        'usher_cluster_parked_total',
        'Calls whose shard had no owner who answers: waits, and what came of it',
        'result',
        this.#parked,
      ),
      histogramFamily('usher_cluster_parked_seconds', 'How long calls were parked', this.#parkedSeconds),
      labelledCounter(
        'usher_cluster_moves_total',
        'Shards that were to move away from here',
        'outcome',
        this.#moves,
      ),
      histogramFamily(
        'usher_cluster_move_blocked_seconds',
        'How long a move held calls up',
        this.#moveSeconds,
      ),
      counterFamily(
        'usher_cluster_claimed_shards_total',
        'Shards taken from owners that were gone',
        () => this.#claimed,
      ),
      counterFamily('usher_cluster_lost_shards_total', 'Shards that others took from here', () => this.#lost),
      gauge('usher_cluster_shards', 'Shards that are served here', () => stats().shards),
      gauge('usher_cluster_parked_calls', 'Calls that are parked now', () => stats().parkedCalls),
      gauge('usher_cluster_registry_up', '1 while Redis answers as a registry', () =>
        Number(stats().isRegistryUp),
      ),
    ]) {
      register(registry, family);
    }
  }

  onForwarded(_kind: string, result: string, durationMs: number): void {
    add(this.#forwarded, result);
    if (result === 'answered') this.#forwardSeconds.observe(durationMs / 1000);
  }

  onParked(result: string, waitedMs: number): void {
    add(this.#parked, result);
    if (result !== 'waits') this.#parkedSeconds.observe(waitedMs / 1000);
  }

  onMove(outcome: string, blockedMs: number): void {
    add(this.#moves, outcome);
    this.#moveSeconds.observe(blockedMs / 1000);
  }

  onClaim(shards: number, owners: readonly string[]): void {
    this.#claimed += shards;
    this.#log.warn({ shards, owners }, 'claimed shards whose owner is gone, or that had none');
  }

  onLost(shardIds: readonly number[]): void {
    this.#lost += shardIds.length;
    this.#log.warn({ shards: shardIds.length }, 'other nodes have taken shards from this one');
  }

  onFault(fault: string, error: unknown): void {
    this.#onFault(fault, error);
  }
}

const secondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

interface ClusterMetricsOptions {
  readonly log: ClusterLog;
  readonly onFault: (fault: string, error: unknown) => void;
  readonly stats: () => ClusterStats;
}

interface ClusterLog {
  warn(fields: object, message: string): void;
}

interface ClusterStats {
  readonly shards: number;
  readonly parkedCalls: number;
  readonly isRegistryUp: boolean;
}

const add = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
