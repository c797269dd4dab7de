import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchLayout } from './bench-hall.ts';

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const usersMax = 500;

/** A child process that prints where it listens; ended by its own handle. */
class Server {
  readonly child: ChildProcess;
  output = '';
  readonly firstMatch: Promise<RegExpExecArray>;

  constructor(args: readonly string[], environment: Record<string, string>, pattern: RegExp) {
    this.child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
      process.stderr.write(chunk);
    });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    this.firstMatch = new Promise((resolve, reject) => {
      let text = '';
      this.child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const match = pattern.exec(text);
        if (match !== null) resolve(match);
      });
      this.child.once('exit', () =>
        reject(new Error(`${args.join(' ')} ended before it listened:\n${text}`)),
      );
    });
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await exited;
  }
}

export interface EchoServer {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startEcho(answerBytes: number): Promise<EchoServer> {
  const server = new Server([pathOf('./echo-server.ts')], { ANSWER_BYTES: `${answerBytes}` }, /^(\d+)\n/);
  const [, port] = await server.firstMatch;
  return { port: Number(port), stop: () => server.stop() };
}

export interface BenchUsherOptions {
  readonly nodeOptions?: readonly string[];
  /** Beside and over the usual settings. */
  readonly environment?: Record<string, string>;
  /** A node of the same cluster: its hall and its tokens serve for this one as well. */
  readonly beside?: BenchUsher;
}

/** `usher serve`, without settings on the embedded store in a directory of its own, with a 50,000-seat hall. */
export class BenchUsher {
  readonly port: number;
  readonly tokens: readonly string[] = [];
  readonly #publicUrl: string;
  readonly #adminUrl: string;
  readonly #server: Server;
  readonly #directory: string;
  #performanceId = 0;
  #isFlooding = false;

  private constructor(server: Server, directory: string, urls: { publicUrl: string; adminUrl: string }) {
    this.#server = server;
    this.#directory = directory;
    this.#publicUrl = urls.publicUrl;
    this.#adminUrl = urls.adminUrl;
    this.port = Number(new URL(urls.publicUrl).port);
  }

  static async start(options: BenchUsherOptions = {}): Promise<BenchUsher> {
    const { nodeOptions = [], environment = {}, beside } = options;
    const directory = mkdtempSync(join(tmpdir(), 'usher-bench-'));
    const server = new Server(
      [...nodeOptions, pathOf('../src/main.ts'), 'serve'],
      {
        PORT: '0',
        ADMIN_PORT: '0',
        DATA_DIR: directory,
        LOG_LEVEL: 'warn',
        JWT_SECRET: 'bench-secret-of-at-least-thirty-two-bytes',
        ADMIN_TOKEN: 'bench',
        CLIENTS: 'bench:bench:reserve pay points:charge points:read',
        HOLD_TTL_SECONDS: '3600',
        HOLD_TOTAL_MAX_SECONDS: '3600',
        ...environment,
      },
      /listening on (http:\S+) admin (http:\S+)/,
    );
    const [, publicUrl = '', adminUrl = ''] = await server.firstMatch;
    const usher = new BenchUsher(server, directory, { publicUrl, adminUrl });
    if (beside === undefined) await usher.#createHall();
    else usher.#performanceId = beside.#performanceId;
    (usher.tokens as string[]).push(...(beside?.tokens ?? (await usher.#issueTokens())));
    return usher;
  }

  get pid(): number {
    return this.#server.child.pid ?? 0;
  }

  get performanceId(): number {
    return this.#performanceId;
  }

  /** What it printed, and its warnings. */
  get output(): string {
    return this.#server.output;
  }

  /** Samples without their comments, by name with labels. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`${this.#adminUrl}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  }

  /** Resolves when all that was sold is projected. */
  async caughtUp(): Promise<void> {
    while (((await this.metrics()).get('usher_projection_lag_events') ?? 0) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Whether every check of `usher audit` holds. */
  async isSound(scheduleId: number): Promise<boolean> {
    const response = await fetch(`${this.#adminUrl}/admin/schedules/${scheduleId}/audit`, {
      headers: { authorization: 'Bearer bench' },
    });
    return response.status === 200 && ((await response.json()) as { ok: boolean }).ok;
  }

  /** Fresh schedules, all seats free. */
  async createSchedules(count: number): Promise<readonly number[]> {
    const scheduleIds: number[] = [];
    for (let i = 0; i < count; i++) {
      const body = { performanceId: this.#performanceId, startsAt: '2030-01-01T19:00:00.000Z' };
      scheduleIds.push((await this.#admin<{ scheduleId: number }>('/admin/schedules', body)).scheduleId);
    }
    return scheduleIds;
  }

  /** What the admin port answers to a GET. */
  async read<T>(path: string): Promise<T> {
    const response = await fetch(this.#adminUrl + path, { headers: { authorization: 'Bearer bench' } });
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** What the admin port answers to an order that it takes. */
  order<T>(path: string, body: object): Promise<T> {
    return this.#admin<T>(path, body, 202);
  }

  /** A reservation of one seat, to learn how large an answer is. */
  async answerBytes(scheduleId: number): Promise<number> {
    const response = await this.#reserve(scheduleId, 'R0-0');
    if (response.status !== 201) throw new Error(`expected 201, got ${response.status}`);
    return Buffer.byteLength(await response.text());
  }

  /** A reservation of one seat under a key of its own: its status. */
  async sell(scheduleId: number, seatId: string): Promise<number> {
    const response = await this.#reserve(scheduleId, seatId, { 'idempotency-key': seatId });
    await response.arrayBuffer();
    return response.status;
  }

  #reserve(scheduleId: number, seatId: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.#publicUrl}/reservations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.tokens[0]}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ scheduleId, seatIds: [seatId] }),
    });
  }

  /** Points for every user. */
  async chargeAll(amount: number): Promise<void> {
    for (const token of this.tokens) {
      const response = await fetch(`${this.#publicUrl}/points/charge`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': 'bench',
        },
        body: JSON.stringify({ amount }),
      });
      if (response.status !== 200) throw new Error(`expected 200, got ${response.status}`);
    }
  }

  async availabilityTag(scheduleId: number): Promise<string> {
    const response = await fetch(`${this.#publicUrl}/reservations/available/seat?scheduleId=${scheduleId}`);
    await response.arrayBuffer();
    return response.headers.get('etag') ?? '';
  }

  /** Of a node with flood-ledger.ts: its ledger never rests until the next call, which tells charges a second. */
  async toggleFlood(): Promise<number> {
    const said = new Promise<number>((resolve) => {
      this.#server.child.stdout?.on('data', (chunk: Buffer) => {
        const [, perSecond] = /flooded (\d+)/.exec(chunk.toString()) ?? [];
        if (perSecond !== undefined) resolve(Number(perSecond));
      });
    });
    this.#server.child.kill('SIGUSR2');
    this.#isFlooding = !this.#isFlooding;
    return this.#isFlooding ? 0 : said;
  }

  /** As a machine that fails. */
  async kill(): Promise<void> {
    await this.#server.stop('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #createHall(): Promise<void> {
    const { venueId: _venueId, ...layout } = benchLayout();
    const { venueId } = await this.#admin<{ venueId: number }>('/admin/venues', layout);
    const performance = {
      name: 'Bench',
      venueId,
      currency: 'EUR',
      prices: [{ category: 'Standard', priceMinor: 4_500 }],
    };
    this.#performanceId = (
      await this.#admin<{ performanceId: number }>('/admin/performances', performance)
    ).performanceId;
  }

  async #issueTokens(): Promise<readonly string[]> {
    const tokens: string[] = [];
    for (let user = 0; user < usersMax; user++) {
      const response = await fetch(`${this.#publicUrl}/auth/token`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from('bench:bench').toString('base64')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ userId: `user-${user}` }),
      });
      tokens.push(((await response.json()) as { accessToken: string }).accessToken);
    }
    return tokens;
  }

  async #admin<T>(path: string, body: object, expectedStatus = 201): Promise<T> {
    const response = await fetch(this.#adminUrl + path, {
      method: 'POST',
      headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.status !== expectedStatus) {
      throw new Error(`${path}: ${response.status} ${await response.text()}`);
    }
    return (await response.json()) as T;
  }
}
