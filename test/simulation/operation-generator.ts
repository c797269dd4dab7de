import { ClientActions } from './client-actions.ts';
import type { CommitFate } from './fates.ts';
import type { Action, FailingCall, Operation } from './operation.ts';
import type { Prng } from './prng.ts';
import { dayMs, type World } from './world.ts';

/** How rough a seed is; a calm one shows what needs no fault to go wrong. */
interface Temper {
  readonly faults: number;
  readonly restarts: number;
  readonly clockJumps: number;
}

/** The script of a world with one node at a time. */
export class OperationGenerator {
  readonly #prng: Prng;
  readonly #world: World;
  readonly #temper: Temper;
  readonly #clients: ClientActions;
  readonly #operations: Operation[] = [];
  /** Actions that are already decided, by the id of their operation. */
  readonly #planned = new Map<number, Action>();

  constructor(prng: Prng, world: World) {
    this.#prng = prng;
    this.#world = world;
    this.#temper = {
      faults: prng.weighted([0, 1, 4].map((rate) => [1, rate] as const)),
      restarts: prng.weighted([0, 1, 4].map((rate) => [1, rate] as const)),
      clockJumps: prng.weighted([
        [2, 0],
        [2, 1],
        [1, 4],
      ]),
    };
    const hotSeats = prng.weighted([
      [1, 8],
      [1, 1000],
    ]);
    this.#clients = new ClientActions(prng, world, this.#operations, hotSeats);
  }

  generate(count: number): readonly Operation[] {
    for (let id = 0; id < count; id++) {
      const action =
        this.#planned.get(id) ?? (this.#prng.chance(0.12) ? this.#clients.retry() : this.#action());
      this.#planSequel(id, action);
      this.#operations.push({ id, action, turns: this.#turns(), salt: this.#prng.salt() });
    }
    return this.#operations;
  }

  /** What is rare on its own and interesting together. */
  #planSequel(id: number, action: Action): void {
    const plan = (offset: number, sequel: Action) => this.#planned.set(id + offset, sequel);
    // A shard that is lost stays lost until somebody starts the node anew.
    if (action.kind === 'intrude') plan(this.#prng.between(4, 25), this.#crash());
    if (action.kind === 'lose-answer' && action.resolveFailures > 0 && this.#prng.chance(0.3)) {
      plan(this.#prng.between(1, 4), this.#intrude());
    }
    // Two drivers of one payment, and the first of them gets nowhere.
    if (
      action.kind === 'pay' &&
      action.card === 'approves' &&
      this.#prng.chance(0.06 * this.#temper.restarts)
    ) {
      plan(1, { kind: 'gateway-fails', fate: 'not-sent', count: 1, delayTurns: 0 });
      plan(2, { kind: 'freeze' });
    }
    // S1 on its way in a worker that was given up, when a new process cancels the payment.
    if (action.kind === 'pay' && this.#prng.chance(0.03 * this.#temper.restarts)) {
      plan(1, { kind: 'worker-dies', fate: 'later', delayTurns: this.#prng.between(10, 40) });
      plan(2, { kind: 'crash', fate: 'landed', delayTurns: 0 });
    }
    // Points that are debited, and given back, when the seats are gone.
    if (action.kind === 'pay' && action.card === undefined && this.#prng.chance(0.03 * this.#temper.faults)) {
      plan(1, { kind: 'worker-dies', fate: 'landed', delayTurns: 0 });
      plan(2, { kind: 'worker-dies', fate: 'not-landed', delayTurns: 0 });
      plan(3, { kind: 'pass-to-expiry', offsetMs: 1 });
      plan(4, { kind: 'worker-dies', fate: 'landed', delayTurns: 0 });
    }
    // One fault after another, over the same payment.
    if (action.kind === 'gateway-fails' && this.#prng.chance(0.5)) {
      plan(1, this.#gatewayFails());
      plan(2, { kind: 'pass', durationMs: this.#prng.between(250, 3_000) });
      plan(4, { kind: 'pass', durationMs: this.#prng.between(250, 3_000) });
    }
    if (action.kind === 'audit' && this.#prng.chance(0.4)) plan(this.#prng.between(1, 3), action);
  }

  #turns(): number {
    return this.#prng.weighted([
      [35, 0],
      [40, this.#prng.between(1, 3)],
      [25, this.#prng.between(4, 14)],
    ]);
  }

  #action(): Action {
    const { faults, restarts, clockJumps } = this.#temper;
    const make = this.#prng.weighted<() => Action>([
      [22, () => this.#clients.hold()],
      [16, () => this.#clients.holdBest()],
      [9, () => this.#clients.onHold('extend')],
      [10, () => this.#clients.onHold('cancel')],
      [12, () => this.#clients.pay()],
      [1.5, () => this.#clients.charge()],
      [7, () => this.#clients.onHold('read')],
      [8, () => ({ kind: 'availability', schedule: this.#clients.schedule() })],
      [2, () => ({ kind: 'count', schedule: this.#clients.schedule() })],
      [2, () => ({ kind: 'audit', schedule: this.#clients.schedule() })],
      [2, () => this.#clients.block('block')],
      [3, () => this.#clients.block('unblock')],
      [7, () => ({ kind: 'pass', durationMs: this.#duration() })],
      [3, () => ({ kind: 'pass-to-expiry', offsetMs: this.#prng.between(-1, 1) })],
      [3, () => ({ kind: 'project', eventCount: this.#prng.between(1, 40) })],
      [clockJumps, () => ({ kind: 'clock-jump', byMs: this.#jump() })],
      [1.5 * faults, () => this.#storeFails()],
      [1.5 * faults, () => this.#loseAnswer()],
      [0.2 * faults, () => this.#intrude()],
      [0.8 * faults, () => this.#workerDies()],
      [1.2 * faults, () => this.#gatewayFails()],
      [0.2 * faults, () => ({ kind: 'gateway-rests', count: this.#prng.between(1, 3) })],
      [0.9 * restarts, () => this.#crash()],
      [0.3 * restarts, () => ({ kind: 'stop' })],
    ]);
    return make();
  }

  #workerDies(): Action {
    return { kind: 'worker-dies', fate: this.#fate(), delayTurns: this.#prng.between(0, 30) };
  }

  #gatewayFails(): Action {
    const fate = this.#prng.pick(['not-sent', 'lost', 'unanswered', 'late'] as const);
    // Often enough in a row that a payment comes too late.
    const count = this.#prng.pick([1, 2, 6]);
    return { kind: 'gateway-fails', fate, count, delayTurns: this.#prng.between(0, 60) };
  }

  #storeFails(): Action {
    const call = this.#prng.weighted<FailingCall>([
      [3, 'commit'],
      [2, 'any'],
      [2, 'load'],
      [1, 'claim'],
      [1, 'resolve'],
    ]);
    return { kind: 'store-fails', call, count: this.#prng.between(1, 3) };
  }

  #loseAnswer(): Action {
    return {
      kind: 'lose-answer',
      fate: this.#fate(),
      delayTurns: this.#prng.between(0, 30),
      resolveFailures: this.#prng.chance(0.4) ? this.#prng.between(1, 2) : 0,
    };
  }

  #crash(): Action {
    if (this.#prng.chance(0.25)) return { kind: 'freeze' };
    return { kind: 'crash', fate: this.#fate(), delayTurns: this.#prng.between(0, 30) };
  }

  #intrude(): Action {
    return {
      kind: 'intrude',
      shard: this.#prng.below(this.#world.shardCount),
      sells: this.#prng.chance(0.5),
    };
  }

  #fate(): CommitFate {
    return this.#prng.pick(['landed', 'not-landed', 'later', 'later']);
  }

  #duration(): number {
    return this.#prng.weighted([
      [40, this.#prng.between(1, 50)],
      [30, this.#prng.between(1_000, 6_000)],
      [20, this.#prng.between(6_000, 40_000)],
      [2, dayMs + this.#prng.between(0, 60_000)],
    ]);
  }

  #jump(): number {
    const sign = this.#prng.chance(0.5) ? 1 : -1;
    return (
      sign *
      this.#prng.weighted([
        [10, this.#prng.between(1, 5_000)],
        [6, this.#prng.between(5_000, 60_000)],
        [1, dayMs + this.#prng.between(0, 60_000)],
      ])
    );
  }
}
