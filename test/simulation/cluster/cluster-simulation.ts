import type { ShardId } from '../../../src/actors/allocator/ids.ts';
import type { Operator } from '../../../src/actors/runtime/cluster-control.ts';
import { Clients } from '../clients.ts';
import { NodeWatch } from '../node-watch.ts';
import type { Operation } from '../operation.ts';
import type { Prng } from '../prng.ts';
import type { Owner, Task } from '../scheduler.ts';
import { type OwnAction, Simulation } from '../simulation.ts';
import type { ClusterWorld, Sale, World } from '../world.ts';
import { Cluster } from './cluster.ts';
import type { ClusterAction, ClusterFault, OperatorRequest, Place, Target } from './cluster-action.ts';

const ownedWithinMs = 10_000;

/** Nobody who lives loses a shard for it. */
const keepsShards: ReadonlySet<ClusterFault['kind']> = new Set([
  'cut-registry',
  'mend',
  'duplicate',
  'registry-down',
  'registry-forgets',
  'registry-late',
  'registry-lies',
  'registry-unheard',
  'skew',
] as const);

/** A world with several nodes, a network between them, and a registry that may forget and lie. */
export class ClusterSimulation extends Simulation {
  readonly cluster: Cluster;
  readonly clients: Clients;
  readonly #watch: NodeWatch;
  /** Nodes that an operator has drained: they take no shards any more. */
  readonly drained = new Set<Owner>();
  /** Places whose node has come or was to go: not everybody may know it when a move from or to it is due. */
  readonly #inMotion = new Set<Place>();

  constructor(world: World, cluster: ClusterWorld, seed: number) {
    super(world);
    this.cluster = new Cluster(this, cluster, seed);
    this.clients = new Clients(this, this.cluster);
    this.#watch = new NodeWatch(this);
  }

  begin(prng: Prng): Promise<void> {
    return this.untilOwned(prng, 'at the start');
  }

  /** I13: within 10 s each shard has one owner, who serves it, and every process has started. */
  async untilOwned(prng: Prng, when: string): Promise<void> {
    const shardIds = Array.from({ length: this.world.shardCount }, (_, shard) => shard as ShardId);
    const wrong = () => shardIds.map((shardId) => this.#wrongAbout(shardId)).filter((line) => line !== '');
    const isUp = () => this.cluster.processes.every(({ phase }) => phase === 'serving');
    await this.runFor(prng, ownedWithinMs, () => isUp() && wrong().length === 0);
    for (const line of wrong()) this.violate('I13', `${when}: ${line}`);
    for (const { owner, phase } of this.cluster.processes) {
      if (phase !== 'serving') this.violate('I13', `${when}: node ${owner} is ${phase}`);
    }
  }

  /** Why a shard has not the one owner that it should have; '' when it has. */
  #wrongAbout(shardId: ShardId): string {
    const owner = this.database.ownerOf(shardId);
    const serving = this.cluster.processes.filter(({ directory }) => directory.shards.serves(shardId));
    const names = serving.map(({ instanceId }) => instanceId);
    if (names.length === 1 && names[0] === owner) return '';
    return `shard ${shardId} is ${owner ?? 'nobody'}'s, and is served by ${names.join(' and ') || 'nobody'}`;
  }

  protected runTask(task: Task): Promise<void> {
    return this.#watch.run(task);
  }

  protected tidyUp(): Promise<void> {
    return this.cluster.replaceEnded();
  }

  protected override onStoreFault(): void {
    this.cluster.mayLoseShards = true;
  }

  /** Nodes go on meanwhile: one that misses its beats for so long would be dead. */
  protected override async pass(durationMs: number, prng: Prng): Promise<void> {
    const endMs = this.clock.monotonicMs + durationMs;
    await this.runFor(prng, durationMs, () => this.clock.monotonicMs >= endMs);
    this.clock.pass(Math.max(0, endMs - this.clock.monotonicMs));
  }

  protected actHere(operation: Operation, action: OwnAction, prng: Prng): void | Promise<void> {
    const { kind, ...fields } = action;
    this.trace.add(`#${operation.id} ${kind} ${JSON.stringify(fields)}`);
    this.counters.add(kind);
    switch (action.kind) {
      case 'join':
      case 'sigterm':
      case 'move':
      case 'drain':
      case 'rebalance':
        return this.#ask(action, operation);
      case 'pass-to-handover':
        return this.#passToHandover(action, prng);
      case 'crash':
      case 'freeze':
      case 'stop':
      case 'intrude':
        throw new RangeError(`there are several nodes here, and no ${action.kind}`);
      default:
        this.history.noteFault();
        if (!keepsShards.has(action.kind)) this.cluster.mayLoseShards = true;
        return this.#break(action);
    }
  }

  async #passToHandover(
    { schedule, atMostMs }: Extract<ClusterAction, { kind: 'pass-to-handover' }>,
    prng: Prng,
  ): Promise<void> {
    const { scheduleId } = this.world.sales[schedule] as Sale;
    const before = this.cluster.ownerOf(scheduleId);
    const isOver = () => this.cluster.ownerOf(scheduleId) !== before;
    await this.runFor(prng, atMostMs, isOver);
    if (isOver()) this.counters.add('handovers awaited');
  }

  /** Undefined: the owner is gone. */
  #placeOf(target: Target): Place | undefined {
    if (typeof target === 'number') return target;
    const owner = this.cluster.ownerOf((this.world.sales[target.ownerOf] as Sale).scheduleId);
    return this.cluster.processes.find(({ instanceId }) => instanceId === owner)?.place;
  }

  #ask(action: OperatorRequest, { id, node }: Operation): void {
    const { cluster } = this;
    if (action.kind === 'join') {
      for (const place of action.places) {
        this.#inMotion.add(place);
        cluster.start(place);
      }
      return;
    }
    if (action.kind === 'sigterm') return this.#stop(action.place);
    const control = cluster.reach(node ?? 0)?.node.control;
    if (control === undefined) return;
    if (action.kind === 'drain') this.#inMotion.add(action.place);
    const by: Operator = { who: `operator-${id}`, why: 'the script says so' };
    const answer =
      action.kind === 'move'
        ? control.move(action.shard as ShardId, `n${action.place}`, by)
        : action.kind === 'drain'
          ? control.drain(`n${action.place}`, by)
          : control.rebalance(by);
    answer.then(
      (told) => {
        this.trace.add(`    operator-${id} is told: ${JSON.stringify(told)}`);
        const drained = action.kind === 'drain' ? cluster.at(action.place) : undefined;
        if (drained !== undefined && !('refusal' in told)) this.drained.add(drained.owner);
      },
      (error: unknown) => this.trace.add(`    operator-${id} is told: ${error}`),
    );
  }

  isInMotion(nodeId: string): boolean {
    return [...this.#inMotion].some((place) => nodeId === `n${place}`);
  }

  /** Whoever stops the last node that takes shards has stopped selling. */
  #stop(place: Place): void {
    const others = this.cluster
      .serving()
      .filter((node) => node.place !== place && !this.drained.has(node.owner));
    if (others.length === 0) return;
    this.#inMotion.add(place);
    this.cluster.stop(place);
  }

  #break(action: ClusterFault): void {
    const { cluster } = this;
    const { faults } = cluster;
    switch (action.kind) {
      case 'kill':
        return this.#kill(action);
      case 'hang': {
        const place = this.#placeOf(action.place);
        if (place !== undefined) cluster.hang(place);
        return;
      }
      case 'isolate':
        return this.#isolate(action);
      case 'hang-and-replace':
        return cluster.replace(action.place);
      case 'go-on':
        return cluster.goOn();
      case 'standstill':
        return this.clock.pass(action.durationMs);
      case 'cut-network':
        faults.cutLine(action.from, action.to);
        if (!action.isOneWay) faults.cutLine(action.to, action.from);
        return;
      case 'cut-store':
        return faults.cutFromStore(action.place);
      case 'cut-registry':
        return faults.cutFromRegistry(action.place);
      case 'mend':
        return cluster.mend();
      case 'break-links':
        return cluster.network.breakLinks(action.one, action.other);
      case 'duplicate':
        faults.duplicates += action.count;
        return;
      case 'slow-network':
        faults.messageDelayMaxMs = action.delayMaxMs;
        return;
      case 'registry-down':
        faults.isRegistryDown = action.isDown;
        return;
      case 'registry-late':
        faults.registryLate += action.count;
        faults.registryDelayMs = action.delayMs;
        return;
      case 'registry-unheard':
        faults.registryUnheard += action.count;
        return;
      case 'registry-forgets':
        return this.#forget(action.what);
      case 'registry-lies':
        return this.#lie(action);
      case 'store-late':
        return faults.delayStore(action.place, action.count, action.delayMs);
      case 'lose-transfer':
        return this.faults.loseNextTransfer(action);
      case 'skew':
        return this.#skew(action);
    }
  }

  #kill({ place: target, fate, delayTurns, isSilent }: Extract<ClusterFault, { kind: 'kill' }>): void {
    const place = this.#placeOf(target);
    if (place === undefined) return;
    this.clients.retry(this.cluster.kill(place, fate, delayTurns, isSilent));
  }

  #isolate({ place: target, storeDelayMs }: Extract<ClusterFault, { kind: 'isolate' }>): void {
    const { faults } = this.cluster;
    const place = this.#placeOf(target);
    if (place === undefined) return;
    faults.cutFromRegistry(place);
    if (storeDelayMs > 0) faults.delayStore(place, 30, storeDelayMs);
    for (let other = 1; other <= (this.world.cluster?.placeCount ?? 0); other++) {
      faults.cutLine(place, other);
      faults.cutLine(other, place);
    }
  }

  #forget(what: Extract<ClusterFault, { kind: 'registry-forgets' }>['what']): void {
    const { registryData } = this.cluster;
    if (what === 'nodes') registryData.loseNodes();
    else if (what === 'shards') registryData.loseShards();
    else registryData.loseEverything();
  }

  #lie({ shard, place, ahead }: Extract<ClusterFault, { kind: 'registry-lies' }>): void {
    const { registryData } = this.cluster;
    const owner = this.cluster.at(place)?.instanceId;
    if (owner === undefined) return;
    const shardId = shard as ShardId;
    const epoch = (this.database.store.data.shards.get(shardId)?.epoch ?? 0) + ahead;
    registryData.shards.set(shardId, { shardId, epoch, owner });
    registryData.shardsVersion = registryData.newName();
  }

  #skew({ place, byMs }: Extract<ClusterFault, { kind: 'skew' }>): void {
    const node = this.cluster.at(place);
    if (node !== undefined) this.skewClock(node.owner, byMs);
  }
}
