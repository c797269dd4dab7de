import type {
  ClusterControl,
  ClusterStatus,
  ControlRefusal,
  Operator,
} from '../../actors/runtime/cluster-control.ts';
import type { MovePlan, MoveRecord } from '../../actors/runtime/cluster-records.ts';
import { notFound } from '../answer/outcome-answer.ts';
import { Problem, unavailable } from '../answer/problem.ts';
import { jsonReply } from '../answer/reply.ts';
import { formatTimestamp } from '../answer/timestamp.ts';
import { pageDefault } from '../input/request-schemas.ts';
import type { AdminRoutes } from '../routes/admin-routes.ts';
import type { ApiRequest, Endpoint } from '../routes/route.ts';

/** GET /admin/cluster */
export function readCluster(cluster: ClusterControl): Endpoint<AdminRoutes['readCluster']> {
  return async () => jsonReply(200, shownCluster(await cluster.status()));
}

/** POST /admin/cluster/move */
export function moveShard(cluster: ClusterControl): Endpoint<AdminRoutes['moveShard']> {
  return async (request) => {
    const { shardId, toNodeId } = request.body;
    const moves = await cluster.move(shardId, toNodeId, operatorOf(request));
    if ('refusal' in moves) {
      return refused(moves, { 'unknown-node': 'toNodeId', 'unknown-shard': 'shardId' });
    }
    const [move] = moves;
    if (move === undefined) {
      return new Problem('not-possible', `Shard ${shardId} is on the move already, or is at ${toNodeId}.`);
    }
    return jsonReply(202, { moveId: move.moveId, moves: moves.map(shownPlannedMove) });
  };
}

/** GET /admin/cluster/moves/{moveId} */
export function readMove(cluster: ClusterControl): Endpoint<AdminRoutes['readMove']> {
  return async ({ params: { moveId } }) => {
    const move = await cluster.findMove(moveId);
    return move === undefined ? notFound('move') : jsonReply(200, shownMove(move));
  };
}

/** POST /admin/cluster/drain */
export function drainNode(cluster: ClusterControl): Endpoint<AdminRoutes['drainNode']> {
  return async (request) => {
    const moves = await cluster.drain(request.body.nodeId, operatorOf(request));
    if ('refusal' in moves) return refused(moves, { 'unknown-node': 'nodeId' });
    return jsonReply(202, { moves: moves.map(shownPlannedMove) });
  };
}

/** POST /admin/cluster/rebalance */
export function rebalanceCluster(cluster: ClusterControl): Endpoint<AdminRoutes['rebalanceCluster']> {
  return async (request) => {
    if (request.body.dryRun) {
      const plans = await cluster.planRebalance();
      return 'refusal' in plans ? refused(plans) : jsonReply(200, { moves: plans.map(routeOf) });
    }
    const moves = await cluster.rebalance(operatorOf(request));
    if ('refusal' in moves) return refused(moves);
    return jsonReply(202, { moves: moves.map(shownPlannedMove) });
  };
}

/** GET /admin/cluster/actions */
export function listOperatorActions(cluster: ClusterControl): Endpoint<AdminRoutes['listOperatorActions']> {
  return async ({ query: { limit = pageDefault } }) => {
    const actions = await cluster.listActions(limit);
    return jsonReply(200, {
      actions: actions.map(({ atMs, who, what, why }) => ({ at: formatTimestamp(atMs), who, what, why })),
    });
  };
}

const operatorOf = ({
  operatorName,
  body,
}: ApiRequest<AdminRoutes['moveShard' | 'drainNode' | 'rebalanceCluster']>): Operator => ({
  who: operatorName,
  why: body.why,
});

const shownCluster = (status: ClusterStatus) => ({
  nodes: status.nodes,
  shards: status.shards.map((shard) => ({ ...shard, ownerNodeId: shard.ownerNodeId ?? null })),
  moves: status.moves.map(({ startedAtMs, ...move }) => ({
    ...move,
    startedAt: formatTimestamp(startedAtMs),
  })),
  disagreements: status.disagreements,
  coordinatorNodeId: status.coordinatorNodeId ?? null,
  registry: status.isRegistryUp ? 'up' : 'down',
});

const routeOf = ({ shardId, fromNodeId, toNodeId }: MovePlan) => ({ shardId, fromNodeId, toNodeId });

const shownPlannedMove = (move: MoveRecord) => ({
  moveId: move.moveId,
  ...routeOf(move),
  phase: move.phase,
});

const shownMove = (move: MoveRecord) => ({
  ...shownPlannedMove(move),
  epoch: move.epoch,
  detail: move.detail,
  plannedAt: formatTimestamp(move.plannedAtMs),
  endedAt: move.endedAtMs === 0 ? null : formatTimestamp(move.endedAtMs),
});

/** Time for a registry that restarts. */
const registryRetryAfterSeconds = 5;

/** @param paths the fields of the body that may name what is not there. */
function refused(
  { refusal, message }: ControlRefusal,
  paths: Partial<Record<'unknown-node' | 'unknown-shard', string>> = {},
): Problem {
  switch (refusal) {
    case 'unknown-node':
      return unknown(message, paths[refusal], 'is not a node of the cluster');
    case 'unknown-shard':
      return unknown(message, paths[refusal], 'is not a shard');
    case 'no-registry':
      return unavailable('registry-unavailable', message, registryRetryAfterSeconds);
    case 'not-a-cluster':
    case 'not-possible':
      return new Problem(refusal, message);
  }
}

const unknown = (detail: string, path: string | undefined, message: string): Problem =>
  new Problem('invalid-request', detail, { errors: [{ path: path ?? '', message }] });
