import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const endWithRunner = fileURLToPath(new URL('./end-with-runner.ts', import.meta.url));

export const jwtSecret = 'integration-tests-secret-of-32-bytes-and-more';
export const adminToken = 'integration-admin-token';
export const clients = 'shop:shop-secret:reserve pay points:read points:charge;kiosk:kiosk-secret:pay';
const clientCredentials = Buffer.from('shop:shop-secret').toString('base64');

const startTimeoutMs = 30_000;
/** More than any test takes for a stop that is asked for politely, and less than a test may take. */
const endTimeoutMs = 90_000;

/** A real `usher serve` (or `demo`) in a process of its own, on free loopback ports. */
export class UsherProcess {
  readonly publicUrl: string;
  readonly adminUrl: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | NodeJS.Signals>;
  readonly #output: { text: string };

  private constructor(
    child: ChildProcess,
    exited: Promise<number | NodeJS.Signals>,
    output: { text: string },
    urls: { publicUrl: string; adminUrl: string },
  ) {
    this.#child = child;
    this.#exited = exited;
    this.#output = output;
    this.publicUrl = urls.publicUrl;
    this.adminUrl = urls.adminUrl;
  }

  static async start(
    dataDir: string,
    environment: Record<string, string> = {},
    command: 'serve' | 'demo' = 'serve',
    nodeOptions: readonly string[] = [],
    mainPath = main,
  ): Promise<UsherProcess> {
    const child = spawn(process.execPath, ['--import', endWithRunner, ...nodeOptions, mainPath, command], {
      env: {
        PATH: process.env['PATH'],
        PORT: '0',
        ADMIN_PORT: '0',
        DATA_DIR: dataDir,
        LOG_LEVEL: 'warn',
        ...(command === 'serve'
          ? {
              JWT_SECRET: jwtSecret,
              ADMIN_TOKEN: adminToken,
              CLIENTS: clients,
            }
          : {}),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const output = { text: '' };
    const collect = (chunk: Buffer) => {
      output.text += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const exited = new Promise<number | NodeJS.Signals>((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
    });
    try {
      return new UsherProcess(child, exited, output, await waitForUrls(output, exited, command));
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get output(): string {
    return this.#output.text;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Sends the signal and waits for the end: the exit code, or the signal that ended it. */
  async stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.#child.kill(signal);
    return this.exited();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Rejects when it has not ended after a while, so that the test comes to its `finally`. */
  async exited(): Promise<number | NodeJS.Signals> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new Error(`usher did not end within ${endTimeoutMs} ms:\n${this.output}`));
    }, endTimeoutMs);
    try {
      return await Promise.race([this.#exited, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async token(userId: string, scopes?: readonly string[]): Promise<string> {
    const response = await fetch(`${this.publicUrl}/auth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${clientCredentials}`, 'content-type': 'application/json' },
      body: JSON.stringify({ userId, ...(scopes === undefined ? {} : { scopes }) }),
    });
    if (response.status !== 200)
      throw new Error(`POST /auth/token: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { accessToken: string }).accessToken;
  }

  admin(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Response> {
    return fetch(this.adminUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

async function waitForUrls(
  output: { text: string },
  exited: Promise<unknown>,
  command: 'serve' | 'demo',
): Promise<{ publicUrl: string; adminUrl: string }> {
  let hasExited = false;
  void exited.then(() => {
    hasExited = true;
  });
  const deadlineMs = Date.now() + startTimeoutMs;
  for (;;) {
    const [, publicUrl, adminUrl] = lastWords[command].exec(output.text) ?? [];
    if (publicUrl !== undefined && adminUrl !== undefined) return { publicUrl, adminUrl };
    if (hasExited) throw new Error(`usher ended before it listened:\n${output.text}`);
    if (Date.now() > deadlineMs)
      throw new Error(`usher did not listen within ${startTimeoutMs} ms:\n${output.text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What a process says when it is ready, to its end: a demo shows what to try. */
const lastWords = {
  serve: /listening on (http:\S+) admin (http:\S+)\n/,
  demo: /listening on (http:\S+) admin (http:\S+)\n[\s\S]*· metrics \S+\n/,
};

/** A fresh data directory, and how to remove it. */
export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'usher-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
