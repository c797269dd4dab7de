import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Starts one of the scripts beside this file in a process of its own. */
export class TestProcess {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(script: string, ...args: string[]) {
    const path = new URL(script, import.meta.url).pathname;
    this.child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** The next line that it prints; undefined when it has ended. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
  }

  /** SIGKILL, and the last lines that it had printed. */
  async kill(): Promise<string[]> {
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
    const rest: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) rest.push(line);
    return rest;
  }
}
