import { clusterTiming } from '../../../src/cluster/cluster-timing.ts';
import type { Prng } from '../prng.ts';
import type { World } from '../world.ts';
import { generateWorld } from '../world-generator.ts';

/** A world as the others, with more shards, sold by three nodes or so. */
export function generateClusterWorld(prng: Prng): World {
  const world = generateWorld(prng);
  return {
    ...world,
    shardCount: prng.between(2, 5),
    cluster: {
      placeCount: 4,
      nodeCount: prng.weighted([
        [1, 1],
        [2, 2],
        [5, 3],
        [1, 4],
      ]),
      timing: clusterTiming,
      limits: {
        parkedCallsMax: prng.weighted([
          [4, 1_000],
          [1, 3],
        ]),
        movesInFlightMax: prng.between(1, 4),
        payWaitMaxMs: world.limits.payWaitMaxMs,
      },
    },
  };
}
