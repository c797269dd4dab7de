import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { cachedFolder } from './cached-folder.ts';
import { installByApt } from './installed.ts';
import { announced, runCommand } from './run-command.ts';

/**
 * stripe-mock, which knows every call of Stripe's by its published description and refuses those that don't
 * fit it. It remembers nothing: what it answers is an example.
 *
 * TEST_STRIPE_MOCK_URL names one that runs already. Otherwise it is built once into .cache/ and started on a
 * free loopback port.
 */
export interface StripeMock {
  readonly url: string;
  stop(): Promise<void>;
}

const version = 'v0.203.0';
const goVersionMin = { major: 1, minor: 22 };
const newerGoVersion = '1.24.11';
const startTimeoutMs = 30_000;

export async function startStripeMock(): Promise<StripeMock> {
  const url = process.env['TEST_STRIPE_MOCK_URL'];
  if (url !== undefined) return { url, stop: async () => undefined };
  // Both ports: without the second one it takes a fixed one, on every interface.
  const ports = ['-http-addr', '127.0.0.1:0', '-https-addr', '127.0.0.1:0'];
  const child = spawn(builtBinary(), ports, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = () => child.kill('SIGTERM');
  // Whoever fails to stop it must not leave it behind.
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    kill();
    await exited;
  };
  try {
    return { url: await addressOf(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The path of the binary, after it was built if it was not there. @throws Error that says what to install. */
function builtBinary(): string {
  const folder = cachedFolder(`stripe-mock-${version}`, (building) => {
    const go = goCommand();
    announced(`building stripe-mock ${version} into .cache/`, 'once, about 15 s', () =>
      runCommand(go, ['install', `github.com/stripe/stripe-mock@${version}`], {
        environment: { GOBIN: building },
      }),
    );
  });
  return join(folder, 'stripe-mock');
}

/** A command that is new enough, installed if there is none. @throws Error that says what to install. */
function goCommand(): string {
  if (isNewEnough()) return 'go';
  if (goVersion() === undefined) installByApt(['golang-go'], 60);
  if (isNewEnough()) return 'go';
  if (goVersion() !== undefined) return newerGo();
  throw new Error(
    'stripe-mock needs Go to be built: install it, or name one that runs by TEST_STRIPE_MOCK_URL',
  );
}

/** An older Go fetches a newer one as it fetches any module, but leaves the tools without their execute bit. */
function newerGo(): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const toolchain = `golang.org/toolchain@v0.0.1-go${newerGoVersion}.${process.platform}-${arch}`;
  console.error(`usher: fetching Go ${newerGoVersion}, since the one that is installed is too old …`);
  const { Dir: folder } = v.parse(
    v.object({ Dir: v.string() }),
    JSON.parse(runCommand('go', ['mod', 'download', '-json', toolchain])),
  );
  const tools = join(folder, 'pkg', 'tool', `${process.platform}_${arch}`);
  for (const tool of [join(folder, 'bin'), tools]) {
    for (const name of readdirSync(tool)) chmodSync(join(tool, name), 0o755);
  }
  return join(folder, 'bin', 'go');
}

function goVersion(): { major: number; minor: number } | undefined {
  const { stdout } = spawnSync('go', ['version'], { encoding: 'utf8' });
  const [, major, minor] = /go([0-9]+)\.([0-9]+)/.exec(stdout ?? '') ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

function isNewEnough(): boolean {
  const found = goVersion();
  if (found === undefined) return false;
  return found.major > goVersionMin.major || found.minor >= goVersionMin.minor;
}

function addressOf(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let output = '';
  const fail = (what: string) => reject(new Error(`stripe-mock ${what}:\n${output}`));
  const timer = setTimeout(() => fail(`did not listen within ${startTimeoutMs} ms`), startTimeoutMs);
  child.stdout?.on('data', (data: Buffer) => {
    output += data;
    const [, address] = /Listening for HTTP at address: (\S+)\n/.exec(output) ?? [];
    if (address !== undefined) resolve(`http://${address}`);
  });
  child.once('error', (error) => fail(`could not be started (${error.message})`));
  child.once('exit', (code) => fail(`ended with ${code}`));
  return promise.finally(() => clearTimeout(timer));
}
