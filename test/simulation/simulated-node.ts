import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import type { ReadFailure } from '../../src/actors/runtime/allocator-service.ts';
import type { AvailabilityView } from '../../src/actors/runtime/availability-view.ts';
import type { CardGateway } from '../../src/actors/runtime/card-gateway.ts';
import { Directory, type DirectoryLimits } from '../../src/actors/runtime/directory.ts';
import type { Ledger, LedgerAuditor } from '../../src/actors/runtime/ledger.ts';
import type { AuditCheck, Outcome, ScheduleCounts } from '../../src/actors/runtime/outcome.ts';
import type { Clock } from '../../src/actors/runtime/ports.ts';
import type { RuntimeObserver } from '../../src/actors/runtime/runtime-observer.ts';
import type { Answer, Request } from './history.ts';
import type { Owner } from './scheduler.ts';
import type { StoreConnection } from './store/store-connection.ts';

/** One run of the process under test: the real Directory on a simulated clock and store. */
export class SimulatedNode {
  readonly owner: Owner;
  readonly instanceId: string;
  readonly connection: StoreConnection;
  readonly ledger: Ledger & LedgerAuditor;
  readonly directory: Directory;
  #phase: 'starting' | 'failed' | 'serving' | 'stopping' | 'stopped' = 'starting';

  constructor(options: SimulatedNodeOptions) {
    this.owner = options.owner;
    this.instanceId = `node-${options.owner}`;
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
    const { directory } = this;
    switch (request.kind) {
      case 'submit':
        return directory.submit(request.scheduleId, request.intent, answer);
      case 'pay':
        return directory.pay(request.payment, answer);
      case 'read':
        return directory.readReservation(request.ref, request.userId, answer);
      case 'availability':
        return directory.readAvailability(request.scheduleId, (result) =>
          answer('failure' in result ? toOutcome(result) : this.#copy(request.scheduleId, result)),
        );
      case 'count':
        void directory
          .countSeats(request.scheduleId)
          .then((result: ScheduleCounts | ReadFailure) =>
            answer('failure' in result ? toOutcome(result) : { kind: 'counts', counts: result }),
          );
        return;
      case 'audit':
        void directory
          .audit(request.scheduleId)
          .then((result: readonly AuditCheck[] | ReadFailure) =>
            answer('failure' in result ? toOutcome(result) : { kind: 'audit', checks: result }),
          );
    }
  }

  #copy(scheduleId: ScheduleId, view: AvailabilityView): Answer {
    const bytes = view.toBitmap();
    return {
      kind: 'availability',
      seq: view.seq,
      available: view.available,
      isFree: Array.from(
        { length: view.capacity },
        (_, seat) => (((bytes[seat >>> 3] ?? 0) >>> (seat & 7)) & 1) === 1,
      ),
      seatIds: JSON.parse(view.toSeatIdsJson()),
      listed: this.directory.catalog.available(scheduleId),
    };
  }
}

export interface SimulatedNodeOptions {
  readonly owner: Owner;
  readonly connection: StoreConnection;
  readonly ledger: Ledger & LedgerAuditor;
  readonly gateway: CardGateway;
  readonly clock: Clock;
  readonly observer: RuntimeObserver;
  readonly shardCount: number;
  readonly limits: DirectoryLimits;
}

const toOutcome = (result: ReadFailure): Outcome =>
  result.failure === 'not-found'
    ? { kind: 'rejected', rejection: { code: 'not-found' } }
    : { kind: 'unavailable', code: result.failure, retryAfterSeconds: result.retryAfterSeconds };
