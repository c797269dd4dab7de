import type { CardGateway } from '../../../src/actors/runtime/card-gateway.ts';
import type { ClusterRecords } from '../../../src/actors/runtime/cluster-records.ts';
import { Directory, type DirectoryLimits } from '../../../src/actors/runtime/directory.ts';
import type { Ledger, LedgerAuditor } from '../../../src/actors/runtime/ledger.ts';
import type { Clock } from '../../../src/actors/runtime/ports.ts';
import type { RuntimeObserver } from '../../../src/actors/runtime/runtime-observer.ts';
import { ClusterNode } from '../../../src/cluster/cluster-node.ts';
import type { ClusterObserver } from '../../../src/cluster/cluster-observer.ts';
import type { Instance } from '../../../src/cluster/instance-id.ts';
import { PeerEndpoint } from '../../../src/cluster/peer-endpoint.ts';
import { PeerLinks } from '../../../src/cluster/peer-links.ts';
import type { Registry } from '../../../src/cluster/registry.ts';
import { ShardRates } from '../../../src/cluster/shard-rates.ts';
import { askService } from '../ask-service.ts';
import type { AskedNode } from '../front.ts';
import type { Answer, Request } from '../history.ts';
import type { Prng } from '../prng.ts';
import type { Owner } from '../scheduler.ts';
import type { StoreConnection } from '../store/store-connection.ts';
import type { ClusterWorld } from '../world.ts';
import type { Place } from './cluster-action.ts';
import type { Network } from './network.ts';

/** SIGTERM: a node gives its shards away for so long before it leaves all the same. */
const drainMaxMs = 10_000;

/** One run of a node's process: the real Directory, links and ClusterNode, on a simulated clock, store and network. */
export class ClusterProcess implements AskedNode {
  readonly owner: Owner;
  readonly place: Place;
  readonly instanceId: string;
  readonly connection: StoreConnection;
  readonly ledger: Ledger & LedgerAuditor;
  readonly directory: Directory;
  readonly node: ClusterNode;
  readonly #links: PeerLinks;
  readonly #endpoint: PeerEndpoint;
  readonly #clock: Clock;
  #openCalls = 0;
  #phase: 'starting' | 'failed' | 'serving' | 'stopping' | 'stopped' = 'starting';
  isHanging = false;

  constructor(options: ClusterProcessOptions) {
    const { owner, place, instance, clock, cluster, network, random } = options;
    this.owner = owner;
    this.place = place;
    this.#clock = clock;
    this.instanceId = instance.instanceId;
    this.connection = options.connection;
    this.ledger = options.ledger;
    const { timing, limits } = cluster;
    this.directory = new Directory({
      store: options.connection,
      ledger: options.ledger,
      gateway: options.gateway,
      clock,
      ids: { instanceId: () => this.instanceId },
      observer: options.observer,
      shardCount: options.shardCount,
      trustMs: timing.trustMs,
      limits: options.limits,
    });
    const party = { owner, place, instanceId: this.instanceId };
    this.#links = new PeerLinks({
      transport: network.transportOf(party),
      clock,
      onNotice: () => {},
      random: () => random.below(1_000) / 1_000,
    });
    this.node = new ClusterNode({
      instance,
      directory: this.directory,
      store: options.connection,
      records: options.records,
      registry: options.registry,
      peers: this.#links,
      clock,
      observer: options.clusterObserver,
      shardCount: options.shardCount,
      timing,
      limits,
      rates: new ShardRates(clock, options.shardCount),
      version: '1.0.0',
      url: () => `http://place-${place}`,
    });
    this.#endpoint = new PeerEndpoint({ service: this.node.peerService, clock });
    network.listen(instance.address, { ...party, accept: this.#endpoint.accept });
  }

  get phase(): 'starting' | 'failed' | 'serving' | 'stopping' | 'stopped' {
    return this.#phase;
  }

  /** New clients are sent to it. */
  get isServing(): boolean {
    return this.#phase === 'serving';
  }

  start(): void {
    this.#startAll().then(
      () => {
        this.#phase = 'serving';
      },
      () => {
        this.#phase = 'failed';
      },
    );
  }

  async #startAll(): Promise<void> {
    await this.directory.start();
    await this.node.start();
  }

  /** SIGTERM. */
  stop(): void {
    if (this.#phase !== 'serving') return;
    this.#phase = 'stopping';
    void this.#stopAll().then(() => {
      this.#phase = 'stopped';
    });
  }

  async #stopAll(): Promise<void> {
    await this.node.drain(drainMaxMs, 'SIGTERM');
    await this.#untilAnswered();
    await this.node.stop();
    this.#endpoint.leave();
    await this.directory.stop();
    this.#links.close();
  }

  /** As the HTTP server does: it takes nobody any more, and closes when everybody has been answered. */
  async #untilAnswered(): Promise<void> {
    for (let looks = 0; looks < 100 && this.#openCalls > 0; looks++) {
      await new Promise<void>((resolve) => this.#clock.setTimer(100, resolve));
    }
  }

  ask(request: Request, answer: (answer: Answer) => void): void {
    this.#openCalls += 1;
    askService(this.node, request, (told) => {
      this.#openCalls -= 1;
      answer(told);
    });
  }
}

export interface ClusterProcessOptions {
  readonly owner: Owner;
  readonly place: Place;
  readonly instance: Instance;
  readonly connection: StoreConnection;
  readonly ledger: Ledger & LedgerAuditor;
  readonly gateway: CardGateway;
  readonly registry: Registry;
  readonly records: ClusterRecords;
  readonly network: Network;
  readonly clock: Clock;
  readonly observer: RuntimeObserver;
  readonly clusterObserver: ClusterObserver;
  readonly random: Prng;
  readonly shardCount: number;
  readonly limits: DirectoryLimits;
  readonly cluster: ClusterWorld;
}
