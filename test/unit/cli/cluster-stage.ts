import { vi } from 'vitest';
import type { ShardId } from '../../../src/actors/allocator/ids.ts';
import type { ClusterStatus } from '../../../src/actors/runtime/cluster-control.ts';
import type { MoveRecord } from '../../../src/actors/runtime/cluster-records.ts';
import { cluster } from '../../../src/cli/cluster.ts';
import { adminToken } from '../http/open-port.ts';
import { clusterStatus, plannedAtMs, type ScriptedCluster } from '../http/scripted-cluster.ts';

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `usher cluster …`, in this process, against an admin port of the test. Rejects as the command does. */
export async function runCluster(port: number, ...args: readonly string[]): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const into = (stream: 'stdout' | 'stderr', end: string) => (text: unknown) => {
    written[stream] += `${text}${end}`;
    return true;
  };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(into('stdout', '\n')),
    vi.spyOn(console, 'error').mockImplementation(into('stderr', '\n')),
    vi.spyOn(process.stdout, 'write').mockImplementation(into('stdout', '')),
    vi.spyOn(process.stderr, 'write').mockImplementation(into('stderr', '')),
  ];
  try {
    const status = await cluster.run([...args, ...adminArguments(port)]);
    return { status, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

export const adminArguments = (port: number) => [
  '--admin-url',
  `http://127.0.0.1:${port}`,
  '--admin-token',
  adminToken,
];

/**
 * Makes the cluster tell of the moves, look by look: at each, the phases of the moves in order. A move that is
 * `done` or `failed` has ended, and is open no more. The last look stays.
 */
export function tellOfMoves(
  scripted: ScriptedCluster,
  moves: readonly MoveRecord[],
  looks: readonly (readonly string[])[],
): void {
  let next = 0;
  scripted.onStatus = () => {
    const phases = looks[Math.min(next, looks.length - 1)] ?? [];
    next += 1;
    const open: ClusterStatus['moves'][number][] = [];
    for (const [index, move] of moves.entries()) {
      const phase = phases[index] ?? 'planned';
      if (phase === 'done' || phase === 'failed') {
        const detail = phase === 'failed' ? 'node-2 is silent' : '';
        scripted.moves.set(move.moveId, { ...move, phase, detail, endedAtMs: plannedAtMs + 1 });
      } else {
        const { moveId, shardId, fromNodeId, toNodeId } = move;
        open.push({ moveId, shardId, fromNodeId, toNodeId, phase, startedAtMs: plannedAtMs });
      }
    }
    return clusterStatus({ moves: open });
  };
}

export const shard = (
  shardId: number,
  changes: Partial<ClusterStatus['shards'][number]> = {},
): ClusterStatus['shards'][number] => ({
  shardId: shardId as ShardId,
  ownerNodeId: 'node-1',
  epoch: 1,
  state: 'active',
  requestsPerSecond: 0,
  ...changes,
});
