import type { Intent } from '../../../../src/actors/allocator/command.ts';
import type {
  PerformanceId,
  ReservationNumber,
  ScheduleId,
  VenueId,
} from '../../../../src/actors/allocator/ids.ts';
import type { ReadFailure } from '../../../../src/actors/runtime/allocator-service.ts';
import type { AvailabilityView } from '../../../../src/actors/runtime/availability-view.ts';
import type { CardGateway } from '../../../../src/actors/runtime/card-gateway.ts';
import type { Performance } from '../../../../src/actors/runtime/catalog.ts';
import { Directory, type DirectoryLimits } from '../../../../src/actors/runtime/directory.ts';
import { type RuntimeObserver, silentObserver } from '../../../../src/actors/runtime/runtime-observer.ts';
import { mark, user } from '../allocator/schedule-script.ts';
import { layoutOf } from '../hall-drawing.ts';
import { Answer } from './actor-stage.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedGateway } from './scripted-gateway.ts';
import { ScriptedLedger } from './scripted-ledger.ts';
import { ScriptedStore } from './scripted-store.ts';

export const stageLimits: DirectoryLimits = {
  holdTtlMs: 5_000,
  holdTotalMaxMs: 15_000,
  paymentMaxMs: 20_000,
  payWaitMaxMs: 10_000,
  seatsPerReservationMax: 4,
  seatsPerUserMax: Number.POSITIVE_INFINITY,
  mailboxMax: 100,
  batchRowsMax: 100,
  idleActorMs: 60_000,
};

/** A node with one hall, `pps`, one performance and two schedules of it. */
export class DirectoryStage {
  readonly store = new ScriptedStore();
  readonly clock = new ManualClock();
  readonly ledger = new ScriptedLedger();
  readonly gateway = new ScriptedGateway();
  readonly steps: string[] = [];
  readonly faults: string[] = [];
  /** What other nodes are told of free seats. */
  readonly published: string[] = [];
  readonly directory: Directory;

  constructor(
    changed: Partial<DirectoryLimits> = {},
    performance: Partial<Performance> = {},
    gateway?: CardGateway,
  ) {
    this.store.venues.push(layoutOf([{ name: 'stalls', rows: ['pps'] }]));
    this.store.performances.push({
      performanceId: 1 as PerformanceId,
      name: 'Show',
      venueId: 1 as VenueId,
      currency: 'EUR',
      prices: [
        { category: 's', priceMinor: 700 },
        { category: 'p', priceMinor: 500 },
      ],
      orphanRule: false,
      ...performance,
    });
    for (const scheduleId of [1, 2] as ScheduleId[]) {
      this.store.schedules.push({
        scheduleId,
        performanceId: 1 as PerformanceId,
        startsAtMs: 9_000_000,
        available: 3,
      });
    }
    const observer: RuntimeObserver = {
      ...silentObserver,
      onPaymentStep: (step, paymentId) => this.steps.push(`${step} ${paymentId}`),
      onFault: (fault, error) => this.faults.push(`${fault}: ${error}`),
    };
    this.directory = new Directory({
      store: this.store,
      ledger: this.ledger,
      gateway: gateway ?? this.gateway,
      availableCounts: {
        publish: (scheduleId, seq, available) => this.published.push(`${scheduleId} at ${seq}: ${available}`),
        read: async (scheduleIds) => new Map(scheduleIds.map((scheduleId) => [scheduleId, 77])),
      },
      clock: this.clock,
      ids: { instanceId: () => 'node-1' },
      observer,
      shardCount: 8,
      limits: { ...stageLimits, ...changed },
    });
  }

  static async started(
    changed: Partial<DirectoryLimits> = {},
    performance: Partial<Performance> = {},
  ): Promise<DirectoryStage> {
    const stage = new DirectoryStage(changed, performance);
    await stage.directory.start();
    return stage;
  }

  submit(scheduleId: number, intent: Intent): Answer {
    const answer = new Answer();
    this.directory.submit(scheduleId as ScheduleId, intent, (outcome) => answer.take(outcome));
    return answer;
  }

  pay(scheduleId: number, number: number, name: string, wish: PaymentWish = {}): Answer {
    const { cardToken, key } = wish;
    const answer = new Answer();
    this.directory.pay(
      {
        ref: { scheduleId: scheduleId as ScheduleId, number: number as ReservationNumber },
        userId: user(name),
        ...(cardToken === undefined ? { method: 'points' } : { method: 'card', cardToken }),
        ...(key !== undefined && { idempotency: mark(key, wish.fingerprint) }),
      },
      (outcome) => answer.take(outcome),
    );
    return answer;
  }

  /** Starts on what another node has left behind. */
  async takeOver(before: DirectoryStage, openWork: readonly ScheduleId[]): Promise<void> {
    const { store, ledger, clock } = before;
    for (const [scheduleId, rows] of store.journal) this.store.journal.set(scheduleId, rows);
    for (const [paymentId, record] of ledger.payments) this.ledger.payments.set(paymentId, record);
    for (const [paymentId, order] of ledger.orders) this.ledger.orders.set(paymentId, order);
    for (const [name, balance] of ledger.balances) this.ledger.balances.set(name, balance);
    this.clock.jump(clock.monotonicMs());
    this.store.openWork = openWork;
    await this.directory.start();
    await this.clock.settle();
  }

  /** seq and type of what is on disk of schedule 1. */
  get journal(): readonly string[] {
    return (this.store.journal.get(1 as ScheduleId) ?? []).map((row) => `${row.seq} ${row.type}`);
  }

  read(scheduleId: number, number: number, name: string): Answer {
    const answer = new Answer();
    const ref = { scheduleId: scheduleId as ScheduleId, number: number as ReservationNumber };
    this.directory.readReservation(ref, user(name), (outcome) => answer.take(outcome));
    return answer;
  }

  availability(scheduleId: number): Promise<AvailabilityView | ReadFailure> {
    return new Promise((resolve) => this.directory.readAvailability(scheduleId as ScheduleId, resolve));
  }
}

/** By points where no card is named. */
interface PaymentWish {
  readonly cardToken?: string;
  readonly key?: string;
  readonly fingerprint?: number;
}
