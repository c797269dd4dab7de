import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerFolder } from './server-folder.ts';
import { areAllStopped } from './stopped-threads.ts';

/** What a test may do to a server. */
export interface ServerControl {
  /** Of the running process; another one after a restart. */
  readonly pid: number;
  /** Its temporary directory, with `server.log` and its data. */
  readonly folder: string;
  /** SIGKILL; its data stay. */
  kill9(): Promise<void>;
  /** Asks it to end, as an operator does; its data stay. */
  shutDown(): Promise<void>;
  /** Starts it on the same data and the same ports, after it was shut down if it still runs. */
  restart(): Promise<void>;
  /** SIGSTOP: once resolved, it keeps its connections and answers nothing, until `resume`. */
  suspend(): Promise<void>;
  resume(): void;
  /** Ends it for good and removes its data. */
  stop(): Promise<void>;
}

interface ServerCommand {
  readonly path: string;
  readonly args: readonly string[];
  /** What its log says when it answers. */
  readonly readyPattern: RegExp;
}

const startTimeoutMs = 60_000;
const shutDownTimeoutMs = 30_000;
const pollEveryMs = 10;

/** One server, which may be ended and started again, and the log of all its lives. */
export class ServerProcess implements ServerControl {
  readonly #name: string;
  readonly #folder: ServerFolder;
  readonly #command: ServerCommand;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #hasExited = true;

  private constructor(name: string, folder: ServerFolder, command: ServerCommand) {
    this.#name = name;
    this.#folder = folder;
    this.#command = command;
  }

  /** Resolves when the server answers. @throws Error with the end of its log; then the process is gone. */
  static async start(name: string, folder: ServerFolder, command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(name, folder, command);
    await server.#launch();
    return server;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#name} has never run`);
    return pid;
  }

  get folder(): string {
    return this.#folder.path;
  }

  async kill9(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#exited;
  }

  async shutDown(): Promise<void> {
    // A suspended process heeds nothing but SIGKILL.
    this.#signal('SIGCONT');
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), shutDownTimeoutMs);
    await this.#exited;
    clearTimeout(timer);
  }

  async restart(): Promise<void> {
    await this.shutDown();
    await this.#launch();
  }

  async suspend(): Promise<void> {
    this.#signal('SIGSTOP');
    while (!this.#hasExited && !areAllStopped(this.pid)) await delay(pollEveryMs);
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Nobody needs its data any more, so it need not take its time. */
  async stop(): Promise<void> {
    await this.kill9();
    await this.#folder.remove();
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#hasExited) this.#child?.kill(signal);
  }

  async #launch(): Promise<void> {
    const { path, args, readyPattern } = this.#command;
    const logPath = join(this.#folder.path, 'server.log');
    const log = openSync(logPath, 'a');
    const logBytesBefore = readFileSync(logPath).length;
    const child = spawn(path, args, { cwd: this.#folder.path, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.#folder.watch(child.pid);
    this.#child = child;
    this.#hasExited = false;
    let failure = 'ended before it was ready';
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    const onEnd = () => {
      this.#hasExited = true;
      // The number may soon be another process's.
      this.#folder.watch(undefined);
      resolve();
    };
    child.once('exit', onEnd);
    child.once('error', (error) => {
      failure = `could not be started (${error.message})`;
      onEnd();
    });
    const deadlineMs = performance.now() + startTimeoutMs;
    const logSinceStart = () => readFileSync(logPath).subarray(logBytesBefore).toString();
    while (!readyPattern.test(logSinceStart())) {
      if (!this.#hasExited && performance.now() > deadlineMs) {
        failure = `was not ready within ${startTimeoutMs} ms`;
        await this.kill9();
      }
      if (this.#hasExited) throw new Error(`${this.#name} ${failure}:\n${logSinceStart().slice(-4_000)}`);
      await delay(pollEveryMs);
    }
  }
}
