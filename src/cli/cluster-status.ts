import { parseArgs } from 'node:util';
import { AdminClient, adminOptions } from './admin-client.ts';
import { type ClusterAnswer, clusterAnswer } from './cluster-answers.ts';
import { formatShardRanges } from './shard-ranges.ts';
import { formatTable } from './table.ts';

const options = { ...adminOptions, shards: { type: 'boolean', default: false } } as const;

/** `cluster status` */
export async function clusterStatus(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options });
  const answer = await new AdminClient(values).get('/admin/cluster', clusterAnswer);
  if (values.json) console.log(JSON.stringify(answer));
  else console.log(describeCluster(answer, { withShards: values.shards }));
  return 0;
}

function describeCluster(answer: ClusterAnswer, { withShards }: { readonly withShards: boolean }): string {
  const { disagreements, moves, coordinatorNodeId } = answer;
  const parts = [
    ...(answer.registry === 'up'
      ? []
      : ['THE REGISTRY DOES NOT ANSWER: nothing can be moved, and this is what was known last']),
    ...(disagreements.length === 0
      ? []
      : [
          [`DISAGREEMENTS: ${disagreements.length}`, ...disagreements.map((line) => `  ! ${line}`)].join(
            '\n',
          ),
        ]),
    `coordinator: ${coordinatorNodeId ?? 'NONE'}`,
    nodesTable(answer),
    withShards ? shardsTable(answer) : ownersTable(answer),
    shardNotes(answer),
    moves.length === 0 ? 'moves in flight: none' : movesTable(answer),
  ];
  return parts.join('\n\n');
}

const nodesTable = ({ nodes }: ClusterAnswer): string =>
  formatTable(
    ['node', 'state', 'version', 'heartbeat', 'shards', 'requests/s', 'url'],
    nodes.map((node) => [
      node.nodeId,
      node.state === 'lost' ? 'LOST' : node.state,
      node.version || unknown,
      // Of a node that is only in the store's rows nobody knows when it was last heard of.
      node.state === 'lost' && node.heartbeatAgeMs === 0
        ? unknown
        : `${(node.heartbeatAgeMs / 1000).toFixed(1)} s ago`,
      `${node.shards}`,
      node.requestsPerSecond.toFixed(1),
      node.url || unknown,
    ]),
  );

const unknown = '–';

const shardsTable = ({ shards }: ClusterAnswer): string =>
  formatTable(
    ['shard', 'owner', 'epoch', 'state', 'requests/s'],
    shards.map((shard) => [
      `${shard.shardId}`,
      shard.ownerNodeId ?? nobody,
      `${shard.epoch}`,
      shard.state === 'orphaned' ? 'ORPHANED' : shard.state,
      shard.requestsPerSecond.toFixed(1),
    ]),
  );

const nobody = '(nobody)';

/** By the store; the nodes above say themselves what they serve. */
function ownersTable({ shards }: ClusterAnswer): string {
  const owned = Map.groupBy(shards, ({ ownerNodeId }) => ownerNodeId ?? nobody);
  const rows = Array.from(owned, ([owner, theirs]) => {
    const epochs = theirs.map(({ epoch }) => epoch);
    const [least, most] = [Math.min(...epochs), Math.max(...epochs)];
    return [
      owner,
      `${theirs.length}`,
      least === most ? `${least}` : `${least}–${most}`,
      shortened(formatShardRanges(theirs.map(({ shardId }) => shardId))),
    ];
  });
  return formatTable(
    ['owner', 'shards', 'epochs', 'which'],
    rows.sort(([a = ''], [b = '']) => a.localeCompare(b)),
  );
}

/** A line of a terminal; --shards shows all. */
const whichMax = 60;

function shortened(ranges: string): string {
  if (ranges.length <= whichMax) return ranges;
  return `${ranges.slice(0, ranges.lastIndexOf(',', whichMax))} …`;
}

function shardNotes({ shards }: ClusterAnswer): string {
  const inState = (state: string) => shards.filter((shard) => shard.state === state);
  const note = (name: string, state: string) => {
    const found = inState(state);
    return found.length === 0
      ? []
      : [`${name}: ${found.length} (${formatShardRanges(found.map(({ shardId }) => shardId))})`];
  };
  return [
    `${shards.length} shards, ${inState('active').length} active`,
    ...note('moving', 'moving'),
    ...note('ORPHANED', 'orphaned'),
  ].join('\n');
}

const movesTable = ({ moves }: ClusterAnswer): string =>
  formatTable(
    ['move', 'shard', 'from', 'to', 'phase', 'since'],
    moves.map((move) => [
      `${move.moveId}`,
      `${move.shardId}`,
      move.fromNodeId,
      move.toNodeId,
      move.phase,
      move.startedAt,
    ]),
  );
