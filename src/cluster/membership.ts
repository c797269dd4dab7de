import type { Clock, TimerHandle } from '../actors/runtime/ports.ts';
import type { ClusterTiming } from './cluster-timing.ts';
import { nodeIdOf } from './instance-id.ts';
import type { LiveNode, NodeRecord, Registry, RegistryView } from './registry.ts';

/**
 * One node's view of the cluster: it beats, and keeps what the registry answered last. All times are of the node's
 * own monotonic clock.
 *
 * M1 One beat at a time, every `beatEveryMs`, until `leave`. One that fails is not repeated: the next one is.
 * M2 While the registry is down the last view stays, and nobody is judged by it: `mayJudge` is false.
 * M3 Nobody may be judged dead before the registry has been up, in one generation, for a lease and two beats. A
 *    registry that comes back empty does not name nodes that live and have not beaten again, and one that was
 *    away let their leases end (I13).
 * M4 A node that was seen to beat less than a lease ago lives, whatever the registry says: its clock may have jumped,
 *    or a field is lost. One that has left counts as living for as long.
 * M5 The coordinator's lease is counted from when the beat was sent that took it, so it ends here before it ends
 *    at the registry. Two may still think they coordinate, when the registry has lost its memory: what a
 *    coordinator orders must be safe then.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #listeners = new Set<() => void>();
  #view: RegistryView | undefined;
  /** When the beat was sent that brought the view. */
  #sentAtMs = Number.NEGATIVE_INFINITY;
  /** When the registry last answered, and since when it has done so, without a gap, in one generation. */
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #upSinceMs = Number.POSITIVE_INFINITY;
  #isUp = false;
  readonly #sightings = new Map<string, Sighting>();
  #lastChange = '';
  #timer: TimerHandle | undefined;
  #beating: Promise<void> | undefined;
  #isLeft = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Beats now and from now on. Resolves when the first beat was answered, or has failed. */
  start(): Promise<void> {
    this.#beating ??= this.#beat();
    return this.#beating;
  }

  /** Ends the beats and takes the record back. Never rejects: where that fails, the lease ends it. */
  async leave(): Promise<void> {
    this.#isLeft = true;
    this.#timer?.cancel();
    await this.#beating;
    await this.#options.registry.leave(this.#options.instanceId).catch(() => {});
  }

  /**
   * Called after a beat that changed what is to be seen here: who lives and in which state, who coordinates, the
   * version of the shards, the generation, whether the registry is up. Must not throw.
   * @returns ends it.
   */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether the last beat was answered. */
  get isRegistryUp(): boolean {
    return this.#isUp;
  }

  /** As of the last beat that was answered. */
  get shardsVersion(): string {
    return this.#view?.shardsVersion ?? '';
  }

  /** As `shardsVersion`. */
  get generation(): string {
    return this.#view?.generation ?? '';
  }

  get coordinatorId(): string | undefined {
    return this.#view?.coordinatorId;
  }

  /** Whether this node has the coordinator's lease, and it can't have ended. */
  get isCoordinator(): boolean {
    const { instanceId, timing, clock } = this.#options;
    const isMine = this.coordinatorId === instanceId && !this.#isLeft;
    return isMine && clock.monotonicMs() < this.#sentAtMs + timing.leaseMs;
  }

  /** Those of the last view, this node among them; by instanceId. None before the first. */
  live(): readonly LiveNode[] {
    return this.#view?.nodes ?? [];
  }

  /** False says little while `mayJudge` is false. */
  isLive(instanceId: string): boolean {
    const sighting = this.#sightings.get(instanceId);
    return sighting !== undefined && (sighting.isInView || this.#isFresh(sighting));
  }

  /** Whether a node for which `isLive` is false may be taken for dead. @param nowMs monotonic. */
  mayJudge(nowMs: number): boolean {
    const { leaseMs, beatEveryMs } = this.#options.timing;
    const isCurrent = nowMs - this.#answeredAtMs <= this.#gapMaxMs;
    return this.#isUp && isCurrent && nowMs - this.#upSinceMs >= leaseMs + 2 * beatEveryMs;
  }

  /** The run of the node that takes shards: of several, the one that was started last. */
  upInstanceOf(nodeId: string): LiveNode | undefined {
    let latest: LiveNode | undefined;
    for (const node of this.live()) {
      if (node.state !== 'up' || nodeIdOf(node.instanceId) !== nodeId) continue;
      if (latest === undefined || node.startedAtMs >= latest.startedAtMs) latest = node;
    }
    return latest;
  }

  /** Whether one of those that live was seen for the first time within the last `ms`, or nobody was seen yet. */
  joinedWithin(ms: number): boolean {
    const sinceMs = this.#options.clock.monotonicMs() - ms;
    const sightings = [...this.#sightings.values()];
    return sightings.length === 0 || sightings.some(({ firstSeenAtMs }) => firstSeenAtMs > sinceMs);
  }

  async #beat(): Promise<void> {
    const { clock, registry, timing, describe } = this.#options;
    const sentAtMs = clock.monotonicMs();
    const record = describe();
    const wantsToCoordinate = record.state === 'up';
    const view = await registry
      .beat({ record, leaseMs: timing.leaseMs, wantsToCoordinate })
      .catch(() => undefined);
    this.#isUp = view !== undefined;
    if (view !== undefined) this.#take(view, sentAtMs);
    const nowMs = clock.monotonicMs();
    if (!this.#isLeft) {
      const waitMs = Math.max(0, sentAtMs + timing.beatEveryMs - nowMs);
      this.#timer = clock.setTimer(waitMs, () => {
        this.#beating = this.#beat();
      });
    }
    this.#tellChange();
  }

  #take(view: RegistryView, sentAtMs: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    const isSameLife =
      view.generation === this.#view?.generation && nowMs - this.#answeredAtMs <= this.#gapMaxMs;
    if (!isSameLife) this.#upSinceMs = nowMs;
    this.#answeredAtMs = nowMs;
    this.#sentAtMs = sentAtMs;
    this.#view = view;
    this.#see(view.nodes, sentAtMs, nowMs);
  }

  #see(nodes: readonly LiveNode[], sentAtMs: number, nowMs: number): void {
    for (const sighting of this.#sightings.values()) sighting.isInView = false;
    for (const { instanceId, heartbeatAgeMs } of nodes) {
      const { firstSeenAtMs = nowMs, beatAtMs = Number.NEGATIVE_INFINITY } =
        this.#sightings.get(instanceId) ?? {};
      this.#sightings.set(instanceId, {
        firstSeenAtMs,
        beatAtMs: Math.max(beatAtMs, sentAtMs - heartbeatAgeMs),
        isInView: true,
      });
    }
    for (const [instanceId, sighting] of this.#sightings) {
      if (!sighting.isInView && !this.#isFresh(sighting)) this.#sightings.delete(instanceId);
    }
  }

  #isFresh({ beatAtMs }: Sighting): boolean {
    return this.#options.clock.monotonicMs() - beatAtMs < this.#options.timing.leaseMs;
  }

  /**
   * Between two answers of a registry that was up all the time: a beat may be lost. Who could not beat for so long
   * still has half of its lease to do it.
   */
  get #gapMaxMs(): number {
    return this.#options.timing.leaseMs / 2;
  }

  #tellChange(): void {
    const nodes = this.live().map(({ instanceId, state }) => `${instanceId} ${state}`);
    const { coordinatorId, shardsVersion, generation } = this.#view ?? {};
    const known = [...this.#sightings.keys()].sort();
    const change = JSON.stringify([this.#isUp, generation, coordinatorId, shardsVersion, nodes, known]);
    if (change === this.#lastChange) return;
    this.#lastChange = change;
    for (const listener of this.#listeners) listener();
  }
}

interface MembershipOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly timing: Pick<ClusterTiming, 'beatEveryMs' | 'leaseMs'>;
  readonly instanceId: string;
  /** What the node says of itself, asked before each beat. One that is draining does not coordinate. */
  readonly describe: () => NodeRecord;
}

interface Sighting {
  readonly firstSeenAtMs: number;
  /** Of its latest beat that is known, no later than it was. */
  readonly beatAtMs: number;
  isInView: boolean;
}
