import { ClientActions } from '../client-actions.ts';
import type { CommitFate } from '../fates.ts';
import type { Action, FailingCall, Operation } from '../operation.ts';
import type { Prng } from '../prng.ts';
import { dayMs, type World } from '../world.ts';
import type { Place, Target } from './cluster-action.ts';
import { Scenes, type Step } from './scenes.ts';

/** How rough a seed is; one without faults shows what operators and moves alone do. */
interface Temper {
  readonly moves: number;
  readonly kills: number;
  readonly network: number;
  readonly registry: number;
  readonly store: number;
  readonly clocks: number;
  readonly money: number;
}

const calm: Temper = { moves: 1, kills: 0, network: 0, registry: 0, store: 0, clocks: 0, money: 0 };

/** Mostly one thing at a time, so that each is seen for itself; and all of it together. */
const profiles: readonly (readonly [weight: number, temper: Partial<Temper>])[] = [
  [2, {}],
  [2, { registry: 6 }],
  [2, { kills: 3 }],
  [2, { network: 3 }],
  [2, { store: 3, money: 1 }],
  [1, { network: 2, store: 2, clocks: 2 }],
  [1, { clocks: 2, money: 3, store: 1 }],
  [2, { kills: 1, network: 1, registry: 1, store: 1, clocks: 1, money: 1 }],
  [1, { kills: 2, network: 2, registry: 2, store: 2 }],
];

/** The script of a world with several nodes. */
export class ClusterScript {
  readonly #prng: Prng;
  readonly #world: World;
  readonly #temper: Temper;
  readonly #clients: ClientActions;
  readonly #scenes: Scenes;
  readonly #operations: Operation[] = [];
  /** Actions that are already decided, by the id of their operation. */
  readonly #planned = new Map<number, Step>();
  readonly #placeCount: number;

  constructor(prng: Prng, world: World) {
    this.#prng = prng;
    this.#world = world;
    this.#placeCount = world.cluster?.placeCount ?? 1;
    this.#temper = { ...calm, ...prng.weighted(profiles), moves: prng.pick([1, 3, 6]) };
    const hotSeats = prng.pick([8, 1_000]);
    this.#clients = new ClientActions(prng, world, this.#operations, hotSeats);
    this.#scenes = new Scenes(prng, this.#clients, world);
  }

  generate(count: number): readonly Operation[] {
    for (let id = 0; id < count; id++) {
      const { action, turns, place } = this.#planned.get(id) ?? this.#step(id);
      this.#planSequel(id, action);
      const node = place === undefined ? this.#prng.below(12) : place - 1;
      this.#operations.push({ id, action, turns: turns ?? this.#turns(), salt: this.#prng.salt(), node });
    }
    return this.#operations;
  }

  /** The next of its own accord, or the first of a scene. */
  #step(id: number): Step {
    const { moves, kills, network, store } = this.#temper;
    const scenes = this.#scenes;
    const make = this.#prng.weighted<(() => readonly Step[]) | undefined>([
      [100, undefined],
      [0.7 * kills, () => scenes.absence()],
      [0.7 * kills, () => scenes.absenceOnTheWay()],
      [1 * network, () => scenes.isolation()],
      [0.8 * network + 0.4 * store, () => scenes.lostWord()],
      [0.5 * store, () => scenes.failedSeal()],
      [0.8 * network, () => scenes.doubles()],
      [0.8 * network, () => scenes.brokenLinks()],
      [0.5 * moves, () => scenes.chase()],
      [0.6 * kills, () => scenes.deathOnTheWay()],
    ]);
    const [first, ...rest] = make?.() ?? [];
    for (const [index, step] of rest.entries()) this.#planned.set(id + 1 + index, step);
    return first ?? { action: this.#action() };
  }

  /** A cut is mended some time, who is dead comes back: and in the meantime somebody wants something. */
  #planSequel(id: number, action: Action): void {
    const prng = this.#prng;
    const plan = (offset: number, sequel: Action) => {
      if (!this.#planned.has(id + offset)) this.#planned.set(id + offset, { action: sequel });
    };
    if (this.#planned.has(id + 1)) return;
    switch (action.kind) {
      case 'kill':
      case 'sigterm':
        if (prng.chance(0.8))
          plan(prng.between(1, 20), { kind: 'join', places: this.#placesOf(action.place) });
        return;
      case 'hang':
      case 'hang-and-replace':
        plan(prng.between(2, 14), { kind: 'go-on' });
        if (prng.chance(0.7)) plan(1, this.#pass());
        return;
      case 'cut-network':
      case 'cut-store':
      case 'cut-registry':
        plan(prng.between(3, 14), { kind: 'mend' });
        if (prng.chance(0.6)) plan(prng.between(1, 2), this.#pass());
        return;
      case 'registry-down':
        if (action.isDown) plan(prng.between(3, 14), { kind: 'registry-down', isDown: false });
        return;
      case 'slow-network':
        if (action.delayMaxMs > 0) plan(prng.between(4, 20), { kind: 'slow-network', delayMaxMs: 0 });
        return;
      case 'move':
        if (this.#temper.store > 0 && prng.chance(0.3)) plan(1, this.#loseTransfer());
        if (this.#temper.kills > 0 && prng.chance(0.15)) plan(prng.between(1, 4), this.#kill());
        if (prng.chance(0.5)) plan(prng.between(1, 3), this.#pass());
    }
  }

  #turns(): number {
    return this.#prng.weighted([
      [30, 0],
      [40, this.#prng.between(1, 4)],
      [30, this.#prng.between(5, 25)],
    ]);
  }

  #action(): Action {
    const { moves, kills, network, registry, store, clocks, money } = this.#temper;
    const prng = this.#prng;
    const clients = this.#clients;
    const make = prng.weighted<() => Action>([
      [10, () => clients.retry()],
      [20, () => clients.hold()],
      [14, () => clients.holdBest()],
      [5, () => clients.onHold('extend')],
      [8, () => clients.onHold('cancel')],
      [10, () => clients.pay()],
      [1, () => clients.charge()],
      [8, () => clients.onHold('read')],
      [9, () => ({ kind: 'availability', schedule: clients.schedule() })],
      [5, () => ({ kind: 'count', schedule: clients.schedule() })],
      [1, () => ({ kind: 'audit', schedule: clients.schedule() })],
      [1, () => clients.block('block')],
      [1.5, () => clients.block('unblock')],
      [9, () => this.#pass()],
      [1.5, () => ({ kind: 'pass-to-expiry', offsetMs: prng.between(-1, 1) })],
      [3, () => ({ kind: 'project', eventCount: prng.between(1, 40) })],
      [1.2 * moves, () => ({ kind: 'move', shard: this.#shard(), place: this.#place() })],
      [0.25 * moves, () => this.#join()],
      [0.2 * moves, () => ({ kind: 'rebalance' })],
      [0.1 * moves, () => ({ kind: 'drain', place: this.#place() })],
      [0.15 * moves, () => ({ kind: 'sigterm', place: this.#place() })],
      [0.5 * kills, () => this.#kill()],
      [0.4 * kills, () => ({ kind: 'hang', place: this.#place() })],
      [0.3 * kills, () => ({ kind: 'hang-and-replace', place: this.#place() })],
      [0.3 * kills, () => ({ kind: 'standstill', durationMs: prng.between(500, 8_000) })],
      [0.5 * network, () => this.#cutNetwork()],
      [0.3 * network, () => ({ kind: 'break-links', one: this.#place(), other: this.#place() })],
      [0.4 * network, () => ({ kind: 'duplicate', count: prng.between(1, 6) })],
      [0.3 * network, () => ({ kind: 'slow-network', delayMaxMs: prng.pick([20, 200, 1_500]) })],
      [0.3 * registry, () => ({ kind: 'registry-down', isDown: true })],
      [0.3 * registry, () => ({ kind: 'cut-registry', place: this.#place() })],
      [0.3 * registry, () => this.#registryForgets()],
      [0.3 * registry, () => this.#registryLies()],
      [
        0.2 * registry,
        () => ({ kind: 'registry-late', count: prng.between(1, 8), delayMs: prng.between(5, 240) }),
      ],
      [0.2 * registry, () => ({ kind: 'registry-unheard', count: prng.between(1, 4) })],
      [0.6 * store, () => ({ kind: 'cut-store', place: this.#place() })],
      [0.4 * store, () => this.#storeLate()],
      [0.5 * store, () => this.#loseTransfer()],
      [0.6 * store, () => this.#storeFails()],
      [0.5 * store, () => this.#loseAnswer()],
      [2 * clocks, () => ({ kind: 'skew', place: this.#place(), byMs: this.#jump() })],
      [1 * clocks, () => ({ kind: 'clock-jump', byMs: this.#jump() })],
      [0.8 * money, () => ({ kind: 'worker-dies', fate: this.#fate(), delayTurns: prng.between(0, 30) })],
      [0.8 * money, () => this.#gatewayFails()],
    ]);
    return make();
  }

  #join(): Action {
    const places = Array.from({ length: this.#prng.pick([1, 1, 2, 4]) }, () => this.#place());
    return { kind: 'join', places: [...new Set(places)] };
  }

  #kill(): Action {
    const isSilent = this.#prng.chance(0.3);
    return {
      kind: 'kill',
      place: this.#place(),
      fate: this.#fate(),
      delayTurns: this.#prng.between(0, 30),
      isSilent,
    };
  }

  #cutNetwork(): Action {
    const from = this.#place();
    return { kind: 'cut-network', from, to: this.#place(), isOneWay: this.#prng.chance(0.5) };
  }

  #registryForgets(): Action {
    return { kind: 'registry-forgets', what: this.#prng.pick(['nodes', 'shards', 'everything'] as const) };
  }

  #registryLies(): Action {
    const ahead = this.#prng.pick([0, 1, 2, 50]);
    return { kind: 'registry-lies', shard: this.#shard(), place: this.#place(), ahead };
  }

  #loseTransfer(): Action {
    return { kind: 'lose-transfer', fate: this.#fate(), delayTurns: this.#prng.between(0, 30) };
  }

  #storeLate(): Action {
    const delayMs = this.#prng.pick([50, 400, 1_800]);
    return { kind: 'store-late', place: this.#place(), count: this.#prng.between(1, 12), delayMs };
  }

  #storeFails(): Action {
    const call = this.#prng.pick<FailingCall>(['commit', 'any', 'any', 'load', 'claim', 'resolve']);
    return { kind: 'store-fails', call, count: this.#prng.between(1, 3) };
  }

  #loseAnswer(): Action {
    const resolveFailures = this.#prng.chance(0.3) ? 1 : 0;
    return {
      kind: 'lose-answer',
      fate: this.#fate(),
      delayTurns: this.#prng.between(0, 30),
      resolveFailures,
    };
  }

  #gatewayFails(): Action {
    const fate = this.#prng.pick(['not-sent', 'lost', 'unanswered', 'late'] as const);
    return {
      kind: 'gateway-fails',
      fate,
      count: this.#prng.pick([1, 2, 6]),
      delayTurns: this.#prng.between(0, 60),
    };
  }

  #pass(): Action {
    const prng = this.#prng;
    const durationMs = prng.weighted([
      [40, prng.between(1, 60)],
      [30, prng.between(300, 1_500)],
      [20, prng.between(1_500, 5_000)],
      [5, prng.between(5_000, 12_000)],
    ]);
    return { kind: 'pass', durationMs };
  }

  #jump(): number {
    const sign = this.#prng.chance(0.5) ? 1 : -1;
    const byMs = this.#prng.weighted([
      [10, this.#prng.between(1, 5_000)],
      [6, this.#prng.between(5_000, 60_000)],
      [1, dayMs + this.#prng.between(0, 60_000)],
    ]);
    return sign * byMs;
  }

  #fate(): CommitFate {
    return this.#prng.pick(['landed', 'not-landed', 'later', 'later']);
  }

  /** Wherever one may be missing by then. */
  #placesOf(target: Target): readonly Place[] {
    if (typeof target === 'number') return [target];
    return Array.from({ length: this.#placeCount }, (_, index) => index + 1);
  }

  #shard(): number {
    return this.#prng.below(this.#world.shardCount);
  }

  #place(): Place {
    return this.#prng.between(1, this.#placeCount);
  }
}
