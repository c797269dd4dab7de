import * as v from 'valibot';

/** What the admin port says of a cluster, as far as the command line reads it; a newer node may say more. */

const moveRoute = { shardId: v.number(), fromNodeId: v.string(), toNodeId: v.string() };

const nodeAnswer = v.looseObject({
  nodeId: v.string(),
  version: v.string(),
  url: v.string(),
  state: v.string(),
  heartbeatAgeMs: v.number(),
  shards: v.number(),
  requestsPerSecond: v.number(),
});

const shardAnswer = v.looseObject({
  shardId: v.number(),
  ownerNodeId: v.nullable(v.string()),
  epoch: v.number(),
  state: v.string(),
  requestsPerSecond: v.number(),
});

const liveMoveAnswer = v.looseObject({
  moveId: v.number(),
  ...moveRoute,
  phase: v.string(),
  startedAt: v.string(),
});

export const clusterAnswer = v.looseObject({
  nodes: v.array(nodeAnswer),
  shards: v.array(shardAnswer),
  moves: v.array(liveMoveAnswer),
  disagreements: v.array(v.string()),
  coordinatorNodeId: v.nullable(v.string()),
  registry: v.string(),
});

const plannedMoveAnswer = v.looseObject({ moveId: v.number(), ...moveRoute, phase: v.string() });

export const plannedMovesAnswer = v.looseObject({ moves: v.array(plannedMoveAnswer) });

export const rebalancePlanAnswer = v.looseObject({ moves: v.array(v.looseObject(moveRoute)) });

export const moveAnswer = v.looseObject({ ...plannedMoveAnswer.entries, detail: v.string() });

export const actionsAnswer = v.looseObject({
  actions: v.array(v.looseObject({ at: v.string(), who: v.string(), what: v.string(), why: v.string() })),
});

export type ClusterAnswer = v.InferOutput<typeof clusterAnswer>;
export type PlannedMove = v.InferOutput<typeof plannedMoveAnswer>;
export type MoveAnswer = v.InferOutput<typeof moveAnswer>;

/** Where a shard goes. */
export interface MoveRoute {
  readonly shardId: number;
  readonly fromNodeId: string;
  readonly toNodeId: string;
}
