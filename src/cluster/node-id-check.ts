import type { Clock } from '../actors/runtime/ports.ts';
import type { ClusterTiming } from './cluster-timing.ts';
import { nodeIdOf } from './instance-id.ts';
import type { LiveNode, Registry } from './registry.ts';

/**
 * Before a node joins: whether another one goes by its NODE_ID. One that was killed still has its lease, so who is
 * there is waited for, until it has gone or has beaten, which the dead don't. Asks without being seen.
 *
 * @returns false when the registry could not tell within a lease and two beats: nodes sell without it.
 * @throws NodeIdInUse
 */
export async function checkNodeIdFree(options: NodeIdCheckOptions): Promise<boolean> {
  const { registry, clock, timing, instanceId } = options;
  const nodeId = nodeIdOf(instanceId);
  const untilMs = clock.monotonicMs() + timing.leaseMs + 2 * timing.beatEveryMs;
  const beatsAtMs = new Map<string, number>();
  for (;;) {
    const sentAtMs = clock.monotonicMs();
    const view = await registry.look().catch(() => undefined);
    const others = view?.nodes.filter(
      (node) => node.instanceId !== instanceId && nodeIdOf(node.instanceId) === nodeId,
    );
    if (others?.length === 0) return true;
    for (const other of others ?? []) {
      const beatAtMs = sentAtMs - other.heartbeatAgeMs;
      const firstAtMs = beatsAtMs.get(other.instanceId) ?? beatAtMs;
      // Two looks at one beat differ by no more than the time of an answer.
      if (beatAtMs - firstAtMs > timing.beatEveryMs / 2) throw new NodeIdInUse(nodeId, other);
      beatsAtMs.set(other.instanceId, firstAtMs);
    }
    if (clock.monotonicMs() >= untilMs) return false;
    await new Promise<void>((resolve) => clock.setTimer(timing.beatEveryMs, resolve));
  }
}

/** For people. */
export class NodeIdInUse extends Error {
  override name = 'NodeIdInUse';

  constructor(nodeId: string, { instanceId, url }: LiveNode) {
    super(`NODE_ID ${nodeId} is in use by ${instanceId} (${url}): give each node a name of its own`);
  }
}

interface NodeIdCheckOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly timing: Pick<ClusterTiming, 'beatEveryMs' | 'leaseMs'>;
  readonly instanceId: string;
}
