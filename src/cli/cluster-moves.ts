import { parseArgs } from 'node:util';
import { AdminClient, adminOptions } from './admin-client.ts';
import {
  clusterAnswer,
  type MoveAnswer,
  type MoveRoute,
  type PlannedMove,
  plannedMovesAnswer,
  rebalancePlanAnswer,
} from './cluster-answers.ts';
import { UsageError } from './command.ts';
import { followMoves, followTiming } from './follow-moves.ts';
import { MoveProgress } from './move-progress.ts';
import { operatorName } from './operator-name.ts';
import { formatShardRanges } from './shard-ranges.ts';
import { formatTable } from './table.ts';

const options = {
  ...adminOptions,
  who: { type: 'string' },
  why: { type: 'string' },
  'no-wait': { type: 'boolean', default: false },
  'wait-max': { type: 'string' },
} as const;

/** `cluster move SHARD NODE` */
export async function move(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [shard, toNodeId] = namedArguments(positionals, ['SHARD', 'NODE']);
  if (!/^[0-9]{1,5}$/.test(shard)) {
    throw new UsageError(`SHARD takes an integer from 0, got ${JSON.stringify(shard)}`);
  }
  const order = orderOf(values);
  const admin = new AdminClient(values);
  const body = { shardId: Number(shard), toNodeId, ...order.reason };
  const { moves } = await admin.post('/admin/cluster/move', body, plannedMovesAnswer, order);
  return carryOut(admin, moves, order, 'nothing to move');
}

/** `cluster drain NODE` */
export async function drain(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [nodeId] = namedArguments(positionals, ['NODE']);
  const order = orderOf(values);
  const admin = new AdminClient(values);
  // What is under way already is not planned again, and drains the node as well: so a drain can be repeated.
  const before = await admin.get('/admin/cluster', clusterAnswer);
  const underWay = before.moves.filter(({ fromNodeId }) => fromNodeId === nodeId);
  const body = { nodeId, ...order.reason };
  const { moves } = await admin.post('/admin/cluster/drain', body, plannedMovesAnswer, order);
  return carryOut(admin, [...underWay, ...moves], order, `${nodeId} has no shards to give`);
}

/** `cluster rebalance` */
export async function rebalance(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { ...options, 'dry-run': { type: 'boolean', default: false } },
  });
  const order = orderOf(values);
  const admin = new AdminClient(values);
  const nothing = 'the load is spread: nothing to move';
  const path = '/admin/cluster/rebalance';
  if (values['dry-run']) {
    const answer = await admin.post(path, { dryRun: true }, rebalancePlanAnswer, order);
    if (values.json) console.log(JSON.stringify(answer));
    else console.log(answer.moves.length === 0 ? nothing : describePlan('would be made', answer.moves));
    return 0;
  }
  const { moves } = await admin.post(path, order.reason, plannedMovesAnswer, order);
  return carryOut(admin, moves, order, nothing);
}

/** What the options say, for all that moves something. */
interface Order {
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: { readonly why?: string };
  readonly isJson: boolean;
  readonly waits: boolean;
  readonly waitMaxMs: number | undefined;
}

interface OrderOptions {
  readonly who?: string | undefined;
  readonly why?: string | undefined;
  readonly json: boolean;
  readonly 'no-wait': boolean;
  readonly 'wait-max'?: string | undefined;
}

function orderOf(values: OrderOptions): Order {
  const { who, why, json, 'no-wait': noWait, 'wait-max': waitMax } = values;
  if (waitMax !== undefined && !/^[1-9][0-9]{0,5}$/.test(waitMax)) {
    throw new UsageError(`--wait-max takes seconds from 1, got ${JSON.stringify(waitMax)}`);
  }
  if (noWait && waitMax !== undefined) throw new UsageError('--no-wait waits for nothing: no --wait-max');
  return {
    headers: { 'usher-operator': operatorName(who) },
    reason: why === undefined ? {} : { why },
    isJson: json,
    waits: !noWait,
    waitMaxMs: waitMax === undefined ? undefined : Number(waitMax) * 1000,
  };
}

function namedArguments<const Names extends readonly string[]>(
  positionals: readonly string[],
  names: Names,
): { readonly [Index in keyof Names]: string } {
  const missing = names.slice(positionals.length);
  if (missing.length > 0)
    throw new UsageError(`which ${missing.join(' and ')}? \`usher cluster status\` shows`);
  const more = positionals.slice(names.length);
  if (more.length > 0) throw new UsageError(`too many arguments: ${more.join(' ')}`);
  return positionals as { readonly [Index in keyof Names]: string };
}

/** Shows the plan, and follows it to its end. @param nothing said when there is none. */
async function carryOut(
  admin: AdminClient,
  moves: readonly PlannedMove[],
  { isJson, waits, waitMaxMs }: Order,
  nothing: string,
): Promise<number> {
  if (!isJson) console.log(moves.length === 0 ? nothing : describePlan('planned', moves));
  if (!waits || moves.length === 0) {
    if (isJson) console.log(JSON.stringify({ moves }));
    return 0;
  }
  // For machines the answer has stdout for itself.
  const progress = new MoveProgress(isJson ? process.stderr : process.stdout);
  const { ended, open } = await followMoves(admin, moves, {
    timing: followTiming,
    waitMaxMs,
    onProgress: (counts) => progress.show(counts),
    onSilence: (reason) => progress.showSilence(reason),
  }).finally(() => progress.end());
  const failed = ended.filter(({ phase }) => phase === 'failed');
  if (isJson) console.log(JSON.stringify({ moves: [...ended, ...open] }));
  for (const each of failed) console.error(describeFailure(each));
  if (open.length > 0) {
    console.error(
      `no longer waiting: ${open.length} of ${ended.length + open.length} go on; usher cluster status shows them`,
    );
  }
  return failed.length + open.length === 0 ? 0 : 1;
}

function describePlan(state: 'planned' | 'would be made', moves: readonly MoveRoute[]): string {
  const routes = Map.groupBy(moves, ({ fromNodeId, toNodeId }) => JSON.stringify([fromNodeId, toNodeId]));
  const rows = Array.from(routes, ([route, theirs]) => [
    ...(JSON.parse(route) as string[]),
    `${theirs.length}`,
    formatShardRanges(theirs.map(({ shardId }) => shardId)),
  ]);
  const title = `${moves.length} move${moves.length === 1 ? '' : 's'} ${state}`;
  return `${title}\n${formatTable(['from', 'to', 'shards', 'which'], rows)}`;
}

const describeFailure = ({ moveId, shardId, fromNodeId, toNodeId, detail }: MoveAnswer): string =>
  `move ${moveId} FAILED: shard ${shardId} from ${fromNodeId} to ${toNodeId}: ${detail}`;
