import type { Prng } from './prng.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Who runs a task: a node by its number, or the database server. A node's tasks die with it. */
export type Owner = number;
export const serverOwner: Owner = 0;

export interface Task {
  readonly owner: Owner;
  readonly label: string;
  run(): void;
}

/**
 * Everything that could happen next. One of it happens a turn, chosen by the seed; between two turns all
 * promises settle, so a turn is one indivisible step of the world and one seed gives one history.
 */
export class Scheduler {
  readonly #clock: VirtualClock;
  #ready: (Task & { readonly notBeforeTurn: number })[] = [];
  #timers: (Task & { readonly dueMs: number })[] = [];
  /** Their tasks wait, whatever is due. */
  readonly #frozen = new Set<Owner>();
  #turn = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Turns taken so far. */
  get turn(): number {
    return this.#turn;
  }

  /** @param delayTurns the task can't be chosen for so many turns. */
  add(task: Task, delayTurns = 0): void {
    this.#ready.push({ ...task, run: () => task.run(), notBeforeTurn: this.#turn + delayTurns });
  }

  /** Returns what cancels it. */
  addTimer(task: Task, delayMs: number): () => void {
    const timer = { ...task, run: () => task.run(), dueMs: this.#clock.monotonicMs + delayMs };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** The owner's process hangs: nothing of it runs, and what comes for it piles up. */
  freeze(owner: Owner): void {
    this.#frozen.add(owner);
  }

  thaw(owner: Owner): void {
    this.#frozen.delete(owner);
  }

  dropTasksOf(owner: Owner): void {
    this.#frozen.delete(owner);
    this.#ready = this.#ready.filter((task) => task.owner !== owner);
    this.#timers = this.#timers.filter((task) => task.owner !== owner);
  }

  /** Takes what happens in this turn, among what is ready and the timers that are due; undefined = nothing. */
  take(prng: Prng): Task | undefined {
    this.#turn += 1;
    const ready = this.#ready.filter((task) => task.notBeforeTurn <= this.#turn && this.#runs(task));
    const due = this.#timers.filter((timer) => this.#isDue(timer));
    if (ready.length + due.length === 0) return undefined;
    const chosen = prng.pick<Task>([...ready, ...due]);
    this.#forget(chosen);
    return chosen;
  }

  /** The oldest task of this owner that needs no timer. */
  takeOf(owner: Owner): Task | undefined {
    this.#turn += 1;
    const chosen = this.#ready.find((task) => task.owner === owner);
    if (chosen !== undefined) this.#forget(chosen);
    return chosen;
  }

  /** Something is ready or only waits for its turn. */
  get isBusy(): boolean {
    return this.#ready.some((task) => this.#runs(task)) || this.#timers.some((timer) => this.#isDue(timer));
  }

  /** How long until the first timer is due; undefined when there is none. */
  get nextTimerMs(): number | undefined {
    const timers = this.#timers.filter((timer) => this.#runs(timer));
    if (timers.length === 0) return undefined;
    return Math.min(...timers.map((timer) => timer.dueMs)) - this.#clock.monotonicMs;
  }

  #runs({ owner }: Task): boolean {
    return !this.#frozen.has(owner);
  }

  #isDue(timer: Task & { readonly dueMs: number }): boolean {
    return timer.dueMs <= this.#clock.monotonicMs && this.#runs(timer);
  }

  #forget(task: Task): void {
    this.#ready = this.#ready.filter((other) => other !== task);
    this.#timers = this.#timers.filter((other) => other !== task);
  }
}

/** Lets every promise settle: a macrotask runs when no microtask is left. */
export const settlePromises = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
