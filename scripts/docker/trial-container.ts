import { setTimeout as delay } from 'node:timers/promises';
import type { Docker } from './docker.ts';

/** Obviously no secrets; a container that only this machine can reach lives for half a minute with them. */
export const trialSecrets = {
  JWT_SECRET: 'not-a-secret-not-a-secret-not-a-secret',
  ADMIN_TOKEN: 'not-a-secret-for-the-admin-port',
  client: 'box-office:not-a-secret',
} as const;

interface ContainerState {
  readonly Status: string;
  readonly ExitCode: number;
  readonly OOMKilled: boolean;
  readonly Health?: { readonly Status: string; readonly Log?: readonly { readonly Output: string }[] };
}

const healthyTimeoutMs = 60_000;
/** More than a node waits for its shards, for open requests and for its store together. */
const stopTimeoutS = 60;

/** One container of the image, as locked up as the docs advise: nothing to write to but its volume and /tmp. */
export class TrialContainer {
  readonly #docker: Docker;
  readonly #id: string;

  constructor(docker: Docker, image: string, label: string, volume: string) {
    this.#docker = docker;
    const settings = {
      JWT_SECRET: trialSecrets.JWT_SECRET,
      ADMIN_TOKEN: trialSecrets.ADMIN_TOKEN,
      CLIENTS: `${trialSecrets.client}:reserve pay points:read points:charge`,
      ADMIN_HOST: '0.0.0.0',
    };
    this.#id = docker.run(
      ...['run', '--detach', '--label', label, '--read-only', '--tmpfs', '/tmp'],
      ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--volume', `${volume}:/data`],
      ...['--publish', '127.0.0.1::8080', '--publish', '127.0.0.1::8081'],
      ...Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      image,
    );
  }

  /** @param port inside the container. */
  url(port: 8080 | 8081): string {
    return `http://${this.#docker.run('port', this.#id, `${port}/tcp`)}`;
  }

  state(): ContainerState {
    return JSON.parse(this.#docker.run('inspect', '--format', '{{json .State}}', this.#id));
  }

  log(): string {
    return this.#docker.attempt(['logs', this.#id]).output;
  }

  /** Runs a program in it. */
  exec(...command: readonly string[]): { readonly status: number | null; readonly output: string } {
    return this.#docker.attempt(['exec', this.#id, ...command]);
  }

  /** The value of an expression in it, as Node prints it. */
  evaluate(expression: string): string {
    return this.#docker.run('exec', this.#id, 'node', '--print', expression);
  }

  /** @returns seconds. @throws Error with its log when Docker does not call it healthy in time. */
  async untilHealthy(): Promise<number> {
    const startedMs = performance.now();
    for (;;) {
      const { Status, Health } = this.state();
      const seconds = (performance.now() - startedMs) / 1_000;
      if (Health?.Status === 'healthy') return seconds;
      if (Status !== 'running' || Health === undefined || seconds * 1_000 > healthyTimeoutMs) {
        const said = Health?.Log?.map(({ Output }) => Output).join('\n') ?? 'no health check';
        throw new Error(`${Status}, ${Health?.Status} after ${seconds.toFixed(1)} s: ${said}\n${this.log()}`);
      }
      await delay(200);
    }
  }

  /** As an operator stops it. @returns seconds. */
  stop(): number {
    const startedMs = performance.now();
    this.#docker.run('stop', '--time', `${stopTimeoutS}`, this.#id);
    return (performance.now() - startedMs) / 1_000;
  }

  start(): void {
    this.#docker.run('start', this.#id);
  }
}
