import { type ScheduleId, shardOf } from '../../../src/actors/allocator/ids.ts';
import type { ClientActions } from '../client-actions.ts';
import type { Action } from '../operation.ts';
import type { Prng } from '../prng.ts';
import type { World } from '../world.ts';
import type { Place, Target } from './cluster-action.ts';

/** One operation of a scene. */
export interface Step {
  readonly action: Action;
  readonly turns?: number;
  /** Where a client asks, or an operator. */
  readonly place?: Place;
}

/** Runs of operations that hit where nodes take shards from each other: chance alone would seldom bring them together. */
export class Scenes {
  readonly #prng: Prng;
  readonly #clients: ClientActions;
  readonly #world: World;
  readonly #placeCount: number;

  constructor(prng: Prng, clients: ClientActions, world: World) {
    this.#prng = prng;
    this.#clients = clients;
    this.#world = world;
    this.#placeCount = world.cluster?.placeCount ?? 1;
  }

  /** A node stands still, others take its shards and sell, and it goes on where it was. */
  absence(): readonly Step[] {
    const schedule = this.#schedule();
    return [
      this.#count(schedule),
      { action: { kind: 'hang', place: { ownerOf: schedule } } },
      this.#untilHandedOver(schedule),
      this.#untilServed(),
      this.#sell(schedule),
      this.#sell(schedule),
      { action: { kind: 'go-on' }, turns: this.#prng.below(2) },
      ...this.#lookEverywhere(schedule),
    ];
  }

  /** As absence; and it had just taken the shard from one that has died, and has not begun to serve it. */
  absenceOnTheWay(): readonly Step[] {
    const schedule = this.#schedule();
    return [
      this.#count(schedule),
      this.#kill({ ownerOf: schedule }),
      { ...this.#untilHandedOver(schedule), turns: this.#prng.between(2, 12) },
      { action: { kind: 'hang', place: { ownerOf: schedule } } },
      this.#untilHandedOver(schedule),
      this.#untilServed(),
      { action: { kind: 'go-on' }, turns: this.#prng.between(5, 50) },
      ...this.#lookEverywhere(schedule),
      this.#sell(schedule),
      ...this.#lookEverywhere(schedule),
    ];
  }

  /** The store is all that a node still reaches, and that may be slow. */
  isolation(): readonly Step[] {
    const schedule = this.#schedule();
    const storeDelayMs = this.#prng.pick([0, 200, 900, 1_800]);
    const isLate = storeDelayMs > 0;
    return [
      this.#count(schedule),
      { action: { kind: 'isolate', place: { ownerOf: schedule }, storeDelayMs } },
      this.#untilHandedOver(schedule),
      ...(isLate ? [this.#untilServed()] : []),
      this.#sell(schedule),
      this.#sell(schedule),
      ...this.#lookEverywhere(schedule),
      ...(isLate ? [{ action: { kind: 'pass' as const, durationMs: this.#prng.between(100, 700) } }] : []),
      this.#sell(schedule),
      ...this.#lookEverywhere(schedule),
      { action: { kind: 'mend' } },
    ];
  }

  /** A shard is given away, and its giver does not hear what has become of it. */
  lostWord(): readonly Step[] {
    const place = this.#place();
    const schedule = this.#schedule();
    const isCut = this.#prng.chance(0.6);
    const lose: readonly Step[] = isCut
      ? this.#others(place).map((to) => ({
          action: { kind: 'cut-network', from: place, to, isOneWay: true },
          turns: 0,
        }))
      : [{ action: { kind: 'hang', place } }];
    return [
      this.#sell(schedule, place),
      this.#move(schedule, place),
      { action: { kind: 'pass-to-handover', schedule, atMostMs: 3_000 }, turns: this.#prng.below(3) },
      ...lose,
      ...(isCut ? [{ ...this.#sell(schedule), place }, ...this.#look(schedule, place, 1)] : []),
      { action: { kind: 'pass-to-handover', schedule, atMostMs: 6_000 } },
      ...(isCut ? [] : [this.#untilServed()]),
      this.#sell(schedule, place),
      ...this.#look(schedule, place, isCut ? 3 : 0),
      { action: { kind: isCut ? 'mend' : 'go-on' }, turns: this.#prng.between(0, 14) },
      this.#sell(schedule, place),
      ...this.#look(schedule, place, 3),
    ];
  }

  /** A batch fails while its shard is being given away. */
  failedSeal(): readonly Step[] {
    const schedule = this.#schedule();
    return Array.from({ length: 3 }, (): readonly Step[] => [
      { action: { kind: 'store-fails', call: 'commit', count: 1 }, turns: 0 },
      { ...this.#move(schedule, this.#place()), turns: this.#prng.between(6, 20) },
      { ...this.#sell(schedule), turns: this.#prng.below(4) },
      { ...this.#sell(schedule), turns: this.#prng.between(0, 12) },
    ]).flat();
  }

  /** Messages come twice, and what they ask for has no key. */
  doubles(): readonly Step[] {
    return [
      { action: { kind: 'duplicate', count: this.#prng.between(10, 30) } },
      ...Array.from({ length: 4 }, () => this.#keyless()),
    ];
  }

  /** Links break under calls without a key. */
  brokenLinks(): readonly Step[] {
    const place = this.#place();
    return [
      { ...this.#keyless(), place },
      ...this.#others(place).map(
        (other): Step => ({ action: { kind: 'break-links', one: place, other }, turns: 0 }),
      ),
      this.#keyless(),
    ];
  }

  /** A shard that does not come to rest, while people want its seats. */
  chase(): readonly Step[] {
    const schedule = this.#schedule();
    return Array.from({ length: 4 }, (): readonly Step[] => [
      { ...this.#move(schedule, this.#place()), turns: this.#prng.between(4, 40) },
      { ...this.#sell(schedule), turns: this.#prng.between(1, 7) },
      { action: this.#clients.pay(), turns: this.#prng.between(0, 6) },
    ]).flat();
  }

  /** A node dies over a shard that it gives away, or that it is given. */
  deathOnTheWay(): readonly Step[] {
    const place = this.#place();
    const schedule = this.#schedule();
    const isGiver = this.#prng.chance(0.5);
    return [
      this.#sell(schedule),
      { ...this.#move(schedule, place), turns: isGiver ? this.#prng.between(4, 40) : 0 },
      ...(isGiver ? [] : [{ ...this.#untilHandedOver(schedule), turns: this.#prng.below(6) }]),
      this.#kill({ ownerOf: schedule }),
      ...this.#look(schedule, place, 2),
    ];
  }

  #untilHandedOver(schedule: number): Step {
    return {
      action: { kind: 'pass-to-handover', schedule, atMostMs: 14_000 },
      turns: this.#prng.below(4),
    };
  }

  /** Who takes a shard is silent for a second. */
  #untilServed(): Step {
    return { action: { kind: 'pass', durationMs: this.#prng.between(1_050, 1_500) } };
  }

  #kill(place: Target): Step {
    const isSilent = this.#prng.chance(0.5);
    return { action: { kind: 'kill', place, fate: 'landed', delayTurns: 0, isSilent } };
  }

  #move(schedule: number, place: Place): Step {
    const shard = shardOf((schedule + 1) as ScheduleId, this.#world.shardCount);
    return { action: { kind: 'move', shard, place }, turns: this.#prng.below(4) };
  }

  /** Somewhere else than at this place; anywhere when none is named. */
  #sell(schedule: number, place: Place = 0): Step {
    const prng = this.#prng;
    const key = prng.chance(0.4) ? { key: `scene-${prng.salt()}` } : undefined;
    return {
      action: {
        kind: 'hold-best',
        schedule,
        user: prng.below(this.#world.users.length),
        quantity: prng.between(1, 2),
        adjacent: false,
        ...key,
      },
      turns: prng.between(10, 35),
      place: prng.pick(this.#others(place)),
    };
  }

  #keyless(): Step {
    const { key: _key, ...action } = this.#clients.holdBest() as Action & { readonly key?: string };
    return { action: action as Action, turns: this.#prng.between(1, 7) };
  }

  /** Wakes its actor, wherever it is. */
  #count(schedule: number): Step {
    return { action: { kind: 'count', schedule }, turns: this.#prng.between(10, 20) };
  }

  /** Of the nodes, one has been the owner, and one is it. */
  #lookEverywhere(schedule: number): readonly Step[] {
    return this.#others(0).flatMap((place) => this.#look(schedule, place, 1));
  }

  #look(schedule: number, place: Place, count: number): readonly Step[] {
    return Array.from({ length: count }, () => ({
      action: this.#prng.weighted<() => Action>([
        [5, () => ({ kind: 'count', schedule })],
        [1, () => this.#clients.onHold('read')],
        [1, () => this.#clients.hold()],
        [1, () => ({ kind: 'availability', schedule })],
      ])(),
      turns: this.#prng.below(3),
      place,
    }));
  }

  #schedule(): number {
    return this.#clients.schedule();
  }

  #others(place: Place): readonly Place[] {
    return Array.from({ length: this.#placeCount }, (_, index) => index + 1).filter(
      (other) => other !== place,
    );
  }

  #place(): Place {
    return this.#prng.between(1, this.#placeCount);
  }
}
