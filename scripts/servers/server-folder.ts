import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Ends what it was told of once its input ends, and removes the folder. Its input is a pipe from this process:
 * however this one ends, by SIGKILL too, no server and no folder stays behind.
 */
const guardScript = `
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  kill -9 "$pid"
  waits=0
  while kill -0 "$pid" && [ "$waits" -lt 40 ]; do sleep 0.05; waits=$((waits + 1)); done
fi
rm -rf -- "$1"`;

/** A temporary directory with a guard over it and the one process that works in it. */
export class ServerFolder {
  readonly path: string;
  readonly #guard: ChildProcess;
  readonly #removed: Promise<void>;

  constructor(name: string) {
    this.path = mkdtempSync(join(tmpdir(), `usher-${name}-`));
    // In a process group of its own: a Ctrl-C in a terminal is for us, and we end the servers.
    this.#guard = spawn('sh', ['-c', guardScript, 'usher-guard', this.path], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#removed = promise;
    this.#guard.once('exit', () => resolve());
    this.#guard.once('error', () => resolve());
    this.#guard.stdin?.on('error', () => undefined);
  }

  /** Whom to end if we end; undefined when nobody is left. */
  watch(pid: number | undefined): void {
    this.#guard.stdin?.write(`${pid ?? ''}\n`);
  }

  async remove(): Promise<void> {
    this.#guard.stdin?.end();
    await this.#removed;
    rmSync(this.path, { recursive: true, force: true });
  }
}
