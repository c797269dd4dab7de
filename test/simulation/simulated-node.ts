import type { CardGateway } from '../../src/actors/runtime/card-gateway.ts';
import { Directory, type DirectoryLimits } from '../../src/actors/runtime/directory.ts';
import type { Ledger, LedgerAuditor } from '../../src/actors/runtime/ledger.ts';
import type { Clock } from '../../src/actors/runtime/ports.ts';
import type { RuntimeObserver } from '../../src/actors/runtime/runtime-observer.ts';
import { askService } from './ask-service.ts';
import type { AskedNode } from './front.ts';
import type { Answer, Request } from './history.ts';
import type { Owner } from './scheduler.ts';
import type { StoreConnection } from './store/store-connection.ts';

/** One run of the process under test: the real Directory on a simulated clock and store. */
export class SimulatedNode implements AskedNode {
  readonly owner: Owner;
  readonly instanceId: string;
  readonly connection: StoreConnection;
  readonly ledger: Ledger & LedgerAuditor;
  readonly directory: Directory;
  #phase: 'starting' | 'failed' | 'serving' | 'stopping' | 'stopped' = 'starting';

  constructor(options: SimulatedNodeOptions) {
    this.owner = options.owner;
    this.instanceId = options.instanceId;
    this.connection = options.connection;
    this.ledger = options.ledger;
    this.directory = new Directory({
      store: options.connection,
      ledger: options.ledger,
      gateway: options.gateway,
      clock: options.clock,
      ids: { instanceId: () => this.instanceId },
      observer: options.observer,
      shardCount: options.shardCount,
      limits: options.limits,
    });
  }

  get phase(): 'starting' | 'failed' | 'serving' | 'stopping' | 'stopped' {
    return this.#phase;
  }

  /** Clients reach it. */
  get isUp(): boolean {
    return this.#phase === 'serving' || this.#phase === 'stopping';
  }

  start(): void {
    this.directory.start().then(
      () => {
        this.#phase = 'serving';
      },
      () => {
        this.#phase = 'failed';
      },
    );
  }

  stop(): void {
    if (this.#phase !== 'serving') return;
    this.#phase = 'stopping';
    void this.directory.stop().then(() => {
      this.#phase = 'stopped';
    });
  }

  ask(request: Request, answer: (answer: Answer) => void): void {
    askService(this.directory, request, answer);
  }
}

export interface SimulatedNodeOptions {
  readonly owner: Owner;
  readonly instanceId: string;
  readonly connection: StoreConnection;
  readonly ledger: Ledger & LedgerAuditor;
  readonly gateway: CardGateway;
  readonly clock: Clock;
  readonly observer: RuntimeObserver;
  readonly shardCount: number;
  readonly limits: DirectoryLimits;
}
