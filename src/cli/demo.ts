import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Directory } from '../actors/runtime/directory.ts';
import { type DemoPerformance, demoCatalog } from '../catalog/demo-catalog.ts';
import { layoutSummary } from '../catalog/layout-summary.ts';
import type { Node } from '../compose.ts';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { SandboxFileError } from '../ledger/sandbox/sandbox-file.ts';
import { type SandboxGateway, startSandboxGateway } from '../ledger/sandbox/sandbox-gateway.ts';
import type { CliCommand } from './command.ts';
import { runNode } from './run-node.ts';

export const demo: CliCommand = {
  name: 'demo',
  summary: 'Runs a node to try out: loopback only, open tokens, two halls on sale, cards that are not real.',
  synopsis: '',
  details: [
    '',
    'Keeps its data and secrets in DATA_DIR. Takes PORT and the other settings that serve takes.',
    'Runs a sandbox gateway of its own for cards, unless STRIPE_API_KEY names another.',
  ],
  async run(args) {
    parseArgs({ args: [...args], options: {} });
    const read: Config = { ...readConfig(), host: '127.0.0.1', adminHost: '127.0.0.1' };
    const kept = keptSecrets(read.dataDir);
    let sandbox: SandboxGateway | undefined;
    let exitCode = 1;
    try {
      exitCode = await runNode({
        config: read,
        secrets: {
          jwtSecret: Buffer.from(kept.jwtSecret),
          adminToken: read.adminToken ?? kept.adminToken,
          isOpenToLoopback: true,
        },
        onLocked: async () => {
          if (read.stripeApiKey !== undefined) return read;
          sandbox = await startSandbox(read.dataDir);
          return { ...read, stripeApiUrl: sandbox.url, stripeApiKey: 'sandbox' };
        },
        beforeListening: seed,
        announce: (node) => console.log(welcome(node, read, sandbox?.url)),
      });
      return exitCode;
    } finally {
      // It listens, and would keep a node that did not start from ending.
      if (exitCode !== 0) await sandbox?.close();
    }
  },
};

/** Its account is kept beside the ledger: what was charged before a kill -9 must be there to be given back. */
async function startSandbox(dataDir: string): Promise<SandboxGateway> {
  const file = join(dataDir, 'sandbox-gateway.jsonl');
  try {
    return await startSandboxGateway({ host: '127.0.0.1', port: 0, file });
  } catch (error) {
    if (error instanceof SandboxFileError) throw new ConfigError(error.message);
    throw error;
  }
}

function keptSecrets(dataDir: string): { jwtSecret: string; adminToken: string } {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return { jwtSecret: keptSecret(dataDir, 'token-secret'), adminToken: keptSecret(dataDir, 'admin-token') };
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new ConfigError(
      `DATA_DIR: got ${JSON.stringify(dataDir)}, takes a directory to write in (${reason})`,
    );
  }
}

/** Made on the first start and kept, so that tokens outlive a restart. */
function keptSecret(dataDir: string, name: string): string {
  const file = join(dataDir, name);
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const secret = randomBytes(32).toString('hex');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return secret;
}

/** Fills an empty store, a line a hall. */
async function seed({ catalog }: Directory): Promise<void> {
  if (catalog.venues().length > 0) return;
  for (const performance of demoCatalog(Date.now())) {
    process.stdout.write(`seeding ${performance.name} … `);
    const startedMs = Date.now();
    const { name, seats } = await seedPerformance(catalog, performance);
    console.log(`${name}, ${seats.toLocaleString('en')} seats, ${Date.now() - startedMs} ms`);
  }
}

async function seedPerformance(
  catalog: Directory['catalog'],
  { hall, schedules, ...performance }: DemoPerformance,
): Promise<{ name: string; seats: number }> {
  const layout = hall();
  const venueId = await catalog.createVenue(layout);
  const performanceId = await catalog.createPerformance({ ...performance, venueId });
  for (const schedule of schedules) await catalog.createSchedule({ ...schedule, performanceId });
  return layoutSummary(layout);
}

const sandboxNote = (config: Config, url: string | undefined): string =>
  url === undefined
    ? `Cards are CHARGED at ${config.stripeApiUrl}, with your STRIPE_API_KEY; unset it for a sandbox.`
    : `Cards go to a sandbox gateway at ${url}, and no money moves: pay with the card tokens approve,
decline-insufficient-funds, delay-5000, hang, approve-then-drop, twice; GET ${url}/sandbox/charges shows what was charged.`;

const welcome = ({ publicUrl, adminUrl }: Node, config: Config, sandboxUrl: string | undefined): string => `
This is a demo: it listens on this machine only, anyone here may ask for a token, and its data and secrets
are in ${config.dataDir} (the admin port's token in ${join(config.dataDir, 'admin-token')}). Ctrl-C stops it; kill -9 loses
nothing that was answered.
${sandboxNote(config, sandboxUrl)}

Lines to copy into another terminal: a token, the best two seats of the stadium, points to pay with, and the
payment; the last one shows the balance.

TOKEN=$(curl -s ${publicUrl}/auth/token -H 'content-type: application/json' -d '{"userId":"ada"}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')

curl -s ${publicUrl}/reservations -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -H 'idempotency-key: my-first' -d '{"scheduleId":4,"bestAvailable":{"quantity":2}}'

curl -s ${publicUrl}/points/charge -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -H 'idempotency-key: my-charge' -d '{"amount":50000}'

curl -s ${publicUrl}/reservations/pay -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -H 'idempotency-key: my-payment' -d '{"reservationId":"4-1","method":"points"}'

curl -s ${publicUrl}/points/balance -H "authorization: Bearer $TOKEN"

API ${publicUrl}/docs · metrics ${adminUrl}/metrics
`;
