/**
 * `npm run cluster`: MariaDB, Redis and three nodes on free ports of this machine, two halls on sale, and what to
 * try: until Ctrl-C, which stops them and removes their data. `--nodes N` for another number.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { demoCatalog } from '../src/catalog/demo-catalog.ts';
import { startMariaDb } from './servers/mariadb.ts';
import { startRedis } from './servers/redis.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const startLimitMs = 60_000;

interface StartedNode {
  readonly nodeId: string;
  readonly child: ChildProcess;
  readonly publicUrl: string;
  readonly adminUrl: string;
}

async function startNode(
  nodeId: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<StartedNode> {
  const logFile = join(folder, `${nodeId}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [main, 'serve'], {
    env: { ...process.env, ...environment, NODE_ID: nodeId },
    stdio: ['ignore', log, log],
  });
  for (const endMs = Date.now() + startLimitMs; Date.now() < endMs; await delay(50)) {
    const text = readFileSync(logFile, 'utf8');
    const [, publicUrl, adminUrl] = /listening on (http:\S+) admin (http:\S+)\n/.exec(text) ?? [];
    if (publicUrl !== undefined && adminUrl !== undefined) return { nodeId, child, publicUrl, adminUrl };
    if (child.exitCode !== null) throw new Error(`${nodeId} ended before it listened:\n${text}`);
  }
  child.kill('SIGKILL');
  throw new Error(`${nodeId} did not listen within ${startLimitMs} ms: ${logFile}`);
}

async function untilReady({ publicUrl, nodeId }: StartedNode): Promise<void> {
  for (const endMs = Date.now() + startLimitMs; Date.now() < endMs; await delay(100)) {
    if ((await fetch(`${publicUrl}/readyz`)).ok) return;
  }
  throw new Error(`${nodeId} is not ready after ${startLimitMs} ms`);
}

async function seed({ adminUrl }: StartedNode, adminToken: string): Promise<void> {
  const post = async (path: string, body: object) => {
    const response = await fetch(adminUrl + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, number>;
  };
  for (const { hall, schedules, ...performance } of demoCatalog(Date.now())) {
    const { venueId } = await post('/admin/venues', hall());
    const { performanceId } = await post('/admin/performances', { ...performance, venueId });
    for (const { startsAtMs, onSaleAtMs } of schedules) {
      await post('/admin/schedules', {
        performanceId,
        startsAt: new Date(startsAtMs).toISOString(),
        ...(onSaleAtMs !== undefined && { onSaleAt: new Date(onSaleAtMs).toISOString() }),
      });
    }
  }
}

function welcome(nodes: readonly StartedNode[], folder: string): string {
  const [first, second = first, third = second] = nodes as [StartedNode, StartedNode?, StartedNode?];
  const rows = nodes.map(
    ({ nodeId, child, publicUrl, adminUrl }) =>
      `  ${nodeId}  ${publicUrl}  admin ${adminUrl}  pid ${child.pid}`,
  );
  return `
${rows.join('\n')}
Logs are in ${folder}. Lines to copy into another terminal, here:

. ${join(folder, 'env')}

TOKEN=$(curl -s -u shop:$SHOP_SECRET ${first.publicUrl}/auth/token -H 'content-type: application/json' -d '{"userId":"ada"}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')

Hold two seats at one node, and look at them at another: each schedule has one owner, and every node finds it.

curl -s ${second.publicUrl}/reservations -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -H 'idempotency-key: my-first' -d '{"scheduleId":4,"bestAvailable":{"quantity":2}}'
curl -s ${third.publicUrl}/reservations/4-1 -H "authorization: Bearer $TOKEN"

Who owns what; a drain while it sells; a fourth node, and its share:

npm run usher -- cluster status
npm run usher -- cluster drain ${second.nodeId}
NODE_ID=node-${nodes.length + 1} npm run usher -- serve &   # until: kill %1
npm run usher -- cluster rebalance

kill -9 ${third.child.pid}   # its schedules have a new owner 4.5 s later
`;
}

async function run(nodeCount: number): Promise<void> {
  // Heeded from the beginning: one that comes while something starts is obeyed when that has started.
  const asked = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => asked.resolve());
  const folder = mkdtempSync(join(tmpdir(), 'usher-cluster-'));
  const nodes: StartedNode[] = [];
  const stops: (() => Promise<unknown>)[] = [];
  try {
    console.log('starting MariaDB and Redis …');
    const [mariaDb, redis] = await Promise.all([startMariaDb(), startRedis()]);
    stops.push(
      () => mariaDb.stop(),
      () => redis.stop(),
    );
    const secret = () => randomBytes(24).toString('hex');
    const [adminToken, shopSecret] = [secret(), secret()];
    const environment = {
      MYSQL_URL: mariaDb.url,
      REDIS_URL: redis.url,
      CLUSTER_SECRET: secret(),
      JWT_SECRET: secret(),
      ADMIN_TOKEN: adminToken,
      CLIENTS: `shop:${shopSecret}:reserve pay points:read points:charge`,
      PORT: '0',
      ADMIN_PORT: '0',
      INTERNAL_PORT: '0',
    };
    console.log(`starting ${nodeCount} nodes …`);
    for (let n = 1; n <= nodeCount; n++) nodes.push(await startNode(`node-${n}`, folder, environment));
    const [first] = nodes as [StartedNode];
    await Promise.all(nodes.map(untilReady));
    await seed(first, adminToken);
    const shown = { ...environment, SHOP_SECRET: shopSecret, ADMIN_URL: first.adminUrl };
    const lines = Object.entries(shown).map(([name, value]) => `export ${name}='${value}'\n`);
    writeFileSync(join(folder, 'env'), lines.join(''), { mode: 0o600 });
    console.log(welcome(nodes, folder));
    await asked.promise;
  } finally {
    console.log('stopping …');
    // All at once: nobody is left to take their shards.
    const ended = nodes.map(({ child }) =>
      child.exitCode === null && child.signalCode === null
        ? new Promise((resolve) => child.once('exit', resolve))
        : undefined,
    );
    for (const { child } of nodes) child.kill('SIGTERM');
    await Promise.all(ended);
    await Promise.all(stops.map((stop) => stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { nodes: { type: 'string', default: '3' } } });
const nodeCount = Number(values.nodes);
if (!Number.isInteger(nodeCount) || nodeCount < 1 || nodeCount > 9) {
  console.error(`--nodes: got ${values.nodes}, takes 1 to 9`);
  process.exit(2);
}
await run(nodeCount);
