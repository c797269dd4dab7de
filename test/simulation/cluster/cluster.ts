import type { ScheduleId, ShardId } from '../../../src/actors/allocator/ids.ts';
import type { ClusterRecords, MoveRecord } from '../../../src/actors/runtime/cluster-records.ts';
import { type Instance, parseInstanceId } from '../../../src/cluster/instance-id.ts';
import { MemoryRegistry, MemoryRegistryData } from '../../../src/cluster/memory/memory-registry.ts';
import { MemoryClusterRecords } from '../../../src/persistence/memory/memory-cluster-records.ts';
import type { CommitFate } from '../fates.ts';
import type { AskedNode, Front } from '../front.ts';
import type { Call } from '../history.ts';
import { GatewayConnection } from '../money/gateway-connection.ts';
import { LedgerWorkers } from '../money/ledger-workers.ts';
import { SimulatedLedger } from '../money/simulated-ledger.ts';
import { NodeClock } from '../node-clock.ts';
import { NodeWatch } from '../node-watch.ts';
import { Prng } from '../prng.ts';
import { type Owner, serverOwner } from '../scheduler.ts';
import { StoreConnection } from '../store/store-connection.ts';
import type { Surroundings } from '../surroundings.ts';
import type { ClusterWorld } from '../world.ts';
import type { Place } from './cluster-action.ts';
import { ClusterFaults } from './cluster-faults.ts';
import { ClusterProcess } from './cluster-process.ts';
import { Network } from './network.ts';
import { RecordsConnection } from './records-connection.ts';
import { RegistryConnection } from './registry-connection.ts';

/** The nodes of a run, at most one a place that clients are sent to, and what they share. */
export class Cluster implements Front {
  readonly triesMax = 3;
  readonly faults = new ClusterFaults();
  readonly network: Network;
  readonly registryData: MemoryRegistryData;
  readonly records: ClusterRecords = new MemoryClusterRecords();
  /** Something has happened for which a node that lives may lose shards. */
  mayLoseShards = false;
  readonly #surroundings: Surroundings;
  readonly #world: ClusterWorld;
  readonly #watch: NodeWatch;
  readonly #atPlace = new Map<Place, ClusterProcess>();
  /** Processes that hang, or go on, beside the one that has taken their place. */
  readonly #ghosts = new Set<ClusterProcess>();
  #startedCount = 0;

  constructor(surroundings: Surroundings, world: ClusterWorld, seed: number) {
    this.#surroundings = surroundings;
    this.#world = world;
    this.#watch = new NodeWatch(surroundings);
    const { clock, scheduler, counters } = surroundings;
    this.registryData = new MemoryRegistryData({ monotonicMs: () => clock.monotonicMs });
    this.network = new Network(scheduler, this.faults, counters, new Prng(seed), (message) =>
      surroundings.violate('I13', message),
    );
    for (let place = 1; place <= world.nodeCount; place++) this.start(place);
  }

  /** Every process that has not ended. */
  get processes(): readonly ClusterProcess[] {
    return [...this.#atPlace.values(), ...this.#ghosts];
  }

  at(place: Place): ClusterProcess | undefined {
    return this.#atPlace.get(place);
  }

  /** Clients can reach them. One that hangs is among them: nobody has noticed yet. */
  serving(): readonly ClusterProcess[] {
    return [...this.#atPlace].sort(([a], [b]) => a - b).flatMap(([, node]) => (node.isServing ? [node] : []));
  }

  reach(choice: number): ClusterProcess | undefined {
    const { placeCount } = this.#world;
    const wanted = Array.from({ length: placeCount }, (_, index) => ((choice + index) % placeCount) + 1);
    return wanted.map((place) => this.#atPlace.get(place)).find((node) => node?.isServing === true);
  }

  owns({ owner }: AskedNode, scheduleId: ScheduleId): boolean {
    const node = this.processes.find((each) => each.owner === owner);
    if (node === undefined || this.ownerOf(scheduleId) !== node.instanceId) return false;
    return node.directory.shards.serves(node.directory.shardOf(scheduleId));
  }

  /** Whoever has been told something may tell it to anybody. */
  isListenedTo(): boolean {
    return true;
  }

  /** By the database's word. */
  ownerOf(scheduleId: ScheduleId): string | undefined {
    const { database } = this.#surroundings;
    return database.ownerOf(database.shardOf(scheduleId));
  }

  /** What was planned, as far as it has come. */
  async moves(): Promise<readonly MoveRecord[]> {
    const moves: MoveRecord[] = [];
    for (let moveId = 1; ; moveId++) {
      const move = await this.records.findMove(moveId);
      if (move === undefined) return moves;
      moves.push(move);
    }
  }

  /** Nothing happens where a process runs already. */
  start(place: Place): void {
    if (this.#atPlace.has(place)) return;
    const node = this.#newProcess(place);
    this.#atPlace.set(place, node);
    node.start();
  }

  /** At every place where no process runs. */
  startEverywhere(): void {
    for (let place = 1; place <= this.#world.placeCount; place++) this.start(place);
  }

  /** @returns the calls that nobody will answer any more. */
  kill(place: Place, fate: CommitFate, delayTurns: number, isSilent: boolean): readonly Call[] {
    const node = this.#atPlace.get(place);
    if (node === undefined) return [];
    this.#atPlace.delete(place);
    return this.#bury(node, fate, delayTurns, isSilent);
  }

  hang(place: Place): void {
    const node = this.#atPlace.get(place);
    if (node === undefined) return;
    node.isHanging = true;
    this.#surroundings.scheduler.freeze(node.owner);
  }

  /** As hang; its clients have given it up. */
  replace(place: Place): void {
    const node = this.#atPlace.get(place);
    if (node === undefined) return;
    this.hang(place);
    this.#atPlace.delete(place);
    this.#ghosts.add(node);
    this.start(place);
  }

  goOn(): void {
    for (const node of this.processes) {
      if (!node.isHanging) continue;
      node.isHanging = false;
      this.#surroundings.scheduler.thaw(node.owner);
    }
  }

  /** The end of what hung or went on beside its successor. */
  killGhosts(): readonly Call[] {
    const ghosts = [...this.#ghosts];
    this.#ghosts.clear();
    return ghosts.flatMap((node) => this.#bury(node, 'not-landed', 0, false));
  }

  stop(place: Place): void {
    this.#atPlace.get(place)?.stop();
  }

  mend(): void {
    this.faults.mendCuts();
    this.network.mended();
  }

  /** Where a process has ended by itself: a start that failed is tried again, a stop that is done was meant so. */
  async replaceEnded(): Promise<void> {
    for (const node of this.processes) {
      if (node.phase !== 'failed' && node.phase !== 'stopped') continue;
      if (node.phase === 'stopped') await this.#watch.runLeftovers(node.owner);
      else this.#surroundings.counters.add('starts failed');
      const isAtPlace = this.#atPlace.get(node.place) === node;
      if (isAtPlace) this.#atPlace.delete(node.place);
      else this.#ghosts.delete(node);
      this.#bury(node, 'not-landed', 0, false);
      if (node.phase === 'failed' && isAtPlace) this.#startLater(node.place);
    }
  }

  /** As whatever looks after the processes of a machine does. */
  #startLater(place: Place): void {
    const label = `place ${place} starts anew`;
    const run = () => this.start(place);
    this.#surroundings.scheduler.addTimer({ owner: serverOwner, label, run }, 500);
  }

  #bury(node: ClusterProcess, fate: CommitFate, delayTurns: number, isSilent: boolean): readonly Call[] {
    node.connection.sever(fate, delayTurns);
    this.network.kill(node.owner, isSilent);
    this.#surroundings.scheduler.dropTasksOf(node.owner);
    return this.#surroundings.history.lose(node.owner);
  }

  /** Who lives, and has not been cut off or held up, keeps what it owns, whatever the registry forgets or says. */
  #noteLost(owner: Owner, shardIds: readonly ShardId[]): void {
    this.#surroundings.counters.add('shards lost', shardIds.length);
    if (this.mayLoseShards) return;
    this.#surroundings.violate(
      'I13',
      `node ${owner} lost shards ${shardIds.join(' ')}, and nothing had happened to it`,
    );
  }

  #newProcess(place: Place): ClusterProcess {
    this.#startedCount += 1;
    const owner: Owner = this.#startedCount;
    const { world, clock, database, bank, cardCompany, scheduler, faults, counters } = this.#surroundings;
    const nodeClock = new NodeClock(owner, clock, scheduler);
    const instanceId = `n${place}/run-${owner}@n${place}:7000`;
    const shared = { scheduler, owner, place, faults: this.faults, counters };
    return new ClusterProcess({
      owner,
      place,
      instance: parseInstanceId(instanceId) as Instance,
      connection: new StoreConnection({
        database,
        scheduler,
        faults,
        counters,
        owner,
        isReachable: () => this.faults.reachesStore(place),
        answerDelayMs: () => this.faults.takeStoreDelayMs(place),
      }),
      ledger: new SimulatedLedger({
        bank,
        workers: new LedgerWorkers({ bank, scheduler, faults, counters, owner }),
        clock: nodeClock,
        operationsWaitingMax: world.limits.mailboxMax,
        onFault: (fault, error) => this.#watch.noteFault(owner, fault, error),
      }),
      gateway: new GatewayConnection({ company: cardCompany, scheduler, faults, counters, owner }),
      registry: new RegistryConnection({ ...shared, registry: new MemoryRegistry(this.registryData) }),
      records: new RecordsConnection({ ...shared, records: this.records }),
      network: this.network,
      clock: nodeClock,
      observer: this.#watch.observer(owner),
      clusterObserver: {
        ...this.#watch.clusterObserver(owner),
        onLost: (shardIds) => this.#noteLost(owner, shardIds),
      },
      random: new Prng(owner),
      shardCount: world.shardCount,
      limits: world.limits,
      cluster: this.#world,
    });
  }
}
