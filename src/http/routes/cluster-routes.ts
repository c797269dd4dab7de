import * as request from '../input/request-schemas.ts';
import * as response from './response-schemas.ts';
import type { Route } from './route.ts';

/** Of what only a cluster can do. */
const controlProblems = [
  'not-a-cluster',
  'not-possible',
  'registry-unavailable',
  'store-unavailable',
] as const;

const route = { shardId: 17, fromNodeId: 'node-1', toNodeId: 'node-2' };
const planned = { moveId: 12, ...route, phase: 'planned' };

export const clusterRoutes = {
  readCluster: {
    port: 'admin',
    method: 'GET',
    path: '/admin/cluster',
    access: 'operator',
    summary: 'The nodes, who owns which shard, and what moves',
    description:
      'As the node that is asked sees it. Owners and epochs are the store’s; what others say is compared with ' +
      'it in `disagreements`. A node on its own shows itself.',
    success: { status: 200, description: 'The cluster.', schema: response.clusterResponse },
    problems: ['store-unavailable'],
    example: {
      target: '/admin/cluster',
      response: {
        nodes: [
          {
            nodeId: 'node-1',
            version: '1.0.0',
            url: 'http://10.0.0.1:8080',
            state: 'up',
            heartbeatAgeMs: 210,
            shards: 86,
            requestsPerSecond: 412.5,
          },
        ],
        shards: [{ shardId: 17, ownerNodeId: 'node-1', epoch: 4, state: 'moving', requestsPerSecond: 120.5 }],
        moves: [{ moveId: 12, ...route, phase: 'sealed', startedAt: '2026-12-01T11:00:00.000Z' }],
        disagreements: [],
        coordinatorNodeId: 'node-1',
        registry: 'up',
      },
    },
  },
  moveShard: {
    port: 'admin',
    method: 'POST',
    path: '/admin/cluster/move',
    access: 'operator',
    summary: 'Move a shard to another node',
    description: 'While it sells. The move is planned when this is answered; `moveId` tells how it goes.',
    body: request.moveShardRequest,
    namesOperator: true,
    success: { status: 202, description: 'It is planned.', schema: response.plannedMoveResponse },
    problems: [...controlProblems],
    example: {
      target: '/admin/cluster/move',
      body: { shardId: 17, toNodeId: 'node-2', why: 'node-1 is hot' },
      response: { moveId: 12, moves: [planned] },
    },
  },
  readMove: {
    port: 'admin',
    method: 'GET',
    path: '/admin/cluster/moves/{moveId}',
    access: 'operator',
    summary: 'How a move goes, or how it ended',
    params: request.moveParams,
    success: { status: 200, description: 'The move.', schema: response.moveResponse },
    problems: ['not-found', 'store-unavailable'],
    example: {
      target: '/admin/cluster/moves/12',
      response: {
        moveId: 12,
        ...route,
        phase: 'done',
        epoch: 4,
        detail: '',
        plannedAt: '2026-12-01T11:00:00.000Z',
        endedAt: '2026-12-01T11:00:00.180Z',
      },
    },
  },
  drainNode: {
    port: 'admin',
    method: 'POST',
    path: '/admin/cluster/drain',
    access: 'operator',
    summary: 'Move everything away from a node',
    description: 'It takes no shards any more, and goes on serving what it still has until that has moved.',
    body: request.drainNodeRequest,
    namesOperator: true,
    success: {
      status: 202,
      description: 'The moves that are planned; none that were under way already.',
      schema: response.plannedMovesResponse,
    },
    problems: [...controlProblems],
    example: {
      target: '/admin/cluster/drain',
      body: { nodeId: 'node-1', why: 'upgrade' },
      response: { moves: [planned] },
    },
  },
  rebalanceCluster: {
    port: 'admin',
    method: 'POST',
    path: '/admin/cluster/rebalance',
    access: 'operator',
    summary: 'Spread the load over the nodes',
    description: 'By the requests that each shard gets, with as few moves as do it.',
    body: request.rebalanceRequest,
    isBodyOptional: true,
    namesOperator: true,
    success: {
      status: 202,
      description: 'The moves that are planned.',
      schema: response.plannedMovesResponse,
    },
    dryRun: {
      status: 200,
      description: 'With `dryRun`: the moves that would be.',
      schema: response.rebalancePlanResponse,
    },
    problems: [...controlProblems],
    example: {
      target: '/admin/cluster/rebalance',
      body: { dryRun: false },
      response: { moves: [planned] },
      dryRunResponse: { moves: [route] },
    },
  },
  listOperatorActions: {
    port: 'admin',
    method: 'GET',
    path: '/admin/cluster/actions',
    access: 'operator',
    summary: 'Who asked the cluster for what, and why',
    query: request.operatorActionsQuery,
    success: { status: 200, description: 'Newest first.', schema: response.operatorActionsResponse },
    problems: ['store-unavailable'],
    example: {
      target: '/admin/cluster/actions?limit=20',
      response: {
        actions: [{ at: '2026-12-01T11:00:00.000Z', who: 'ada@ops', what: 'drain node-1', why: 'upgrade' }],
      },
    },
  },
} as const satisfies Record<string, Route>;
