import { parseArgs } from 'node:util';
import { sandboxCardsHelp } from '../ledger/sandbox/sandbox-cards.ts';
import {
  type SandboxGateway,
  sandboxCallsHelp,
  startSandboxGateway,
} from '../ledger/sandbox/sandbox-gateway.ts';
import { crashOnBugs, stopOnSignals } from '../shutdown.ts';
import { createLog } from '../telemetry/log.ts';
import { type CliCommand, UsageError } from './command.ts';

const stopMs = 5_000;

const options = { port: { type: 'string', default: '12111' } } as const;

export const sandboxGateway: CliCommand = {
  name: 'sandbox-gateway',
  summary: 'Runs a card gateway for trials, on loopback: no card is real and no money moves.',
  synopsis: '[--port P]',
  details: [
    '',
    '  --port P   0 takes a free one (12111)',
    '',
    "It speaks Stripe's calls; STRIPE_API_URL names it to a node, and any STRIPE_API_KEY will do. Cards:",
    ...sandboxCardsHelp,
    '',
    'and to turn and look at it:',
    ...sandboxCallsHelp,
  ],
  async run(args) {
    const { values } = parseArgs({ args: [...args], options });
    const port = parsePort(values.port);
    const log = createLog('warn');
    crashOnBugs(log);
    let gateway: SandboxGateway;
    try {
      gateway = await startSandboxGateway({ host: '127.0.0.1', port });
    } catch (error) {
      console.error(`usher: ${error instanceof Error ? error.message : error}`);
      return 1;
    }
    stopOnSignals(() => gateway.close(), log, stopMs);
    console.log(`sandbox gateway listening on ${gateway.url}`);
    return 0;
  },
};

function parsePort(text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UsageError(`--port takes a port, got ${JSON.stringify(text)}`);
}
