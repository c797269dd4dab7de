import { adminOptionsHelp } from './admin-client.ts';
import { clusterActions } from './cluster-actions.ts';
import { drain, move, rebalance } from './cluster-moves.ts';
import { clusterStatus } from './cluster-status.ts';
import { type CliCommand, UsageError } from './command.ts';

const subCommands: Readonly<Record<string, CliCommand['run']>> = {
  status: clusterStatus,
  move,
  drain,
  rebalance,
  actions: clusterActions,
};

export const cluster: CliCommand = {
  name: 'cluster',
  summary: 'Shows the nodes of a cluster, and moves what they serve from one to another.',
  synopsis: 'status | move SHARD NODE | drain NODE | rebalance | actions [options]',
  details: [
    '',
    '  status             nodes, who owns which shards, moves in flight, and what disagrees',
    '  move SHARD NODE    moves one shard, while it sells',
    '  drain NODE         moves everything away from a node, before it is upgraded or removed',
    '  rebalance          spreads the load by the requests that are measured',
    '  actions            who did what, and why; newest first',
    '',
    'move, drain and rebalance show their plan and then how it goes. They end when the last move has: with 0',
    'when all are done, with 1 when one failed or the waiting is over; moves go on without them.',
    '',
    '  --shards            status: each shard on a line of its own, with its epoch and requests',
    '  --dry-run           rebalance: shows the plan, and does nothing',
    '  --no-wait           ends when the moves are planned',
    '  --wait-max SECONDS  waits no longer than that (as long as it takes)',
    '  --why TEXT          for the audit log',
    '  --who NAME          for the audit log (the user and host that this runs as)',
    '  --limit N           actions: how many (20)',
    ...adminOptionsHelp,
  ],
  async run(args) {
    const [name = '', ...rest] = args;
    const run = Object.hasOwn(subCommands, name) ? subCommands[name] : undefined;
    if (run === undefined) {
      throw new UsageError(
        `takes one of ${Object.keys(subCommands).join(', ')}, got ${JSON.stringify(name)}`,
      );
    }
    return run(rest);
  },
};
