import { ConfigError } from '../config.ts';
import { AdminCallFailed } from './admin-client.ts';
import { audit } from './audit.ts';
import { block, unblock } from './block.ts';
import { cluster } from './cluster.ts';
import { type CliCommand, UsageError } from './command.ts';
import { config } from './config-command.ts';
import { demo } from './demo.ts';
import { importPlan } from './import-plan.ts';
import { packageVersion } from './package-version.ts';
import { sandboxGateway } from './sandbox-gateway.ts';
import { schedules } from './schedules.ts';
import { serve } from './serve.ts';

const commands: readonly CliCommand[] = [
  demo,
  serve,
  sandboxGateway,
  importPlan,
  schedules,
  block,
  unblock,
  audit,
  cluster,
  config,
];

const exitUsage = 2;

/** Runs one command; returns the exit code: 0 done, 1 failed, 2 usage. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === 'help') {
    console.log(overview());
    return name === undefined ? exitUsage : 0;
  }
  if (name === '--version') {
    console.log(packageVersion());
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    console.error(`usher: there is no command ${JSON.stringify(name)}\n\n${overview()}`);
    return exitUsage;
  }
  if (rest.includes('--help')) {
    console.log(helpOf(command));
    return 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    if (isUsageError(error)) {
      console.error(
        `usher ${name}: ${error.message}\n\n${usageOf(command)}\nusher ${name} --help tells more.`,
      );
      return exitUsage;
    }
    if (error instanceof ConfigError || error instanceof AdminCallFailed) {
      console.error(`usher ${name}: ${error.message}`);
      return 1;
    }
    throw error;
  }
}

/** parseArgs of node:util throws its own errors for unknown and malformed options. */
const isUsageError = (error: unknown): error is Error =>
  error instanceof UsageError ||
  (error instanceof TypeError && 'code' in error && `${error.code}`.startsWith('ERR_PARSE_ARGS'));

function overview(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return ['Usage: usher <command> [options]', '', ...lines, '', 'usher <command> --help tells more.'].join(
    '\n',
  );
}

const usageOf = ({ name, synopsis }: CliCommand): string => `Usage: usher ${name} ${synopsis}`.trimEnd();

const helpOf = (command: CliCommand): string =>
  [usageOf(command), '', command.summary, ...command.details].join('\n');
