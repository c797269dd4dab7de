import { spawnSync } from 'node:child_process';
import { runCommand } from '../servers/run-command.ts';

/** The docker client, talking to one daemon. */
export class Docker {
  readonly #environment: Readonly<Record<string, string>>;

  /** @param host of the daemon, as DOCKER_HOST takes it; undefined: the one that the client finds by itself. */
  constructor(host?: string) {
    // No look-up of what a newer client would like to have beside it.
    this.#environment = { DOCKER_CLI_HINTS: 'false', ...(host === undefined ? {} : { DOCKER_HOST: host }) };
  }

  /** What it wrote to its output, without the last line break. @throws Error with all that it wrote. */
  run(...args: readonly string[]): string {
    return runCommand('docker', args, { environment: this.#environment }).trimEnd();
  }

  /** For what may fail. `status` is null when the time was over. */
  attempt(
    args: readonly string[],
    timeoutMs = 60_000,
  ): { readonly status: number | null; readonly output: string } {
    const { status, stdout, stderr } = spawnSync('docker', args, {
      encoding: 'utf8',
      env: { ...process.env, ...this.#environment },
      timeout: timeoutMs,
    });
    return { status, output: `${stdout ?? ''}${stderr ?? ''}`.trim() };
  }

  /** The lines of a command that lists something. */
  list(...args: readonly string[]): readonly string[] {
    return this.run(...args)
      .split('\n')
      .filter((line) => line !== '');
  }
}
