import type { Intent } from '../allocator/command.ts';
import type { IdempotencyMark } from '../allocator/event.ts';
import type { PerformanceId, ReservationRef, ScheduleId, UserId, VenueId } from '../allocator/ids.ts';
import type { SeatMap } from '../allocator/seat-map.ts';
import type { VenueLayout } from '../allocator/venue-layout.ts';
import type { AvailabilityView } from './availability-view.ts';
import type { Performance, Schedule, VenueSummary } from './catalog.ts';
import type { AuditCheck, Reply, ScheduleCounts, UnavailableCode } from './outcome.ts';
import type { PaymentRequest } from './payment-request.ts';
import type { ReservationPage, ReservationQuery } from './ports.ts';

/**
 * What the outer layers may ask of a node. directory.ts implements it; http sees nothing else.
 *
 * A callback runs exactly once, maybe before the call returns, and never throws into the runtime.
 */
export interface AllocatorService {
  /** Decides a command in the order of arrival per schedule; replies when the answer may be shown. */
  submit(scheduleId: ScheduleId, intent: Intent, reply: Reply): void;

  /**
   * Pays a reservation. Replies when it is PAID or refused; after PAY_WAIT_MAX_MS with the reservation as it
   * is then, PAYING, and the payment goes on.
   */
  pay(request: PaymentRequest, reply: Reply): void;

  /** Whether cards can be paid with here. */
  readonly takesCards: boolean;

  /** One reservation of this user; somebody else's is not found. */
  readReservation(ref: ReservationRef, userId: UserId, reply: Reply): void;

  /** The durable free seats of a schedule (I9). */
  readAvailability(scheduleId: ScheduleId, reply: (result: AvailabilityView | ReadFailure) => void): void;

  listReservations(query: ReservationQuery): Promise<ReservationPage>;
  countSeats(scheduleId: ScheduleId): Promise<ScheduleCounts | ReadFailure>;

  /**
   * Brings `catalog.available` of these schedules up to date with what other nodes have told. Never rejects, and
   * takes tens of milliseconds at most; undefined when there is nothing to wait for, as on a node that owns
   * all of them.
   */
  refreshAvailable(scheduleIds: readonly ScheduleId[]): Promise<void> | undefined;

  audit(scheduleId: ScheduleId): Promise<readonly AuditCheck[] | ReadFailure>;

  readonly catalog: CatalogService;

  /** Empty when the node can serve; else the reasons, for people. */
  notReadyReasons(): readonly string[];
}

export interface ReadFailure {
  readonly failure: UnavailableCode | 'not-found';
  readonly retryAfterSeconds: number;
}

/** The catalogue, in memory. Lookups are synchronous; creations are durable when they resolve. */
export interface CatalogService {
  venues(): readonly VenueSummary[];
  performances(): readonly Performance[];
  performance(performanceId: PerformanceId): Performance | undefined;
  schedule(scheduleId: ScheduleId): Schedule | undefined;
  /** Of one performance, by startsAtMs. */
  schedulesOf(performanceId: PerformanceId): readonly Schedule[];
  /**
   * Free seats as last known: the durable count of its actor where this node owns the schedule, else as its
   * owner told it (see refreshAvailable), else as projected.
   */
  available(scheduleId: ScheduleId): number;
  capacity(scheduleId: ScheduleId): number;

  /**
   * Brings in what other nodes have created before the call. For whoever misses something, before he says that there
   * is no such thing: reads follow each other at 200 ms, so the answer may take as long. Rejects with StoreUnavailable.
   */
  learn(): Promise<void>;

  /** Undefined when there is no such venue. Rejects with StoreUnavailable. */
  venueLayout(venueId: VenueId): Promise<VenueLayout | undefined>;
  /** The compiled hall of a schedule's venue; undefined for an unknown schedule. Cached. */
  seatMap(scheduleId: ScheduleId): Promise<SeatMap | undefined>;

  createVenue(layout: Omit<VenueLayout, 'venueId'>, mark?: IdempotencyMark): Promise<VenueId>;
  createPerformance(
    performance: Omit<Performance, 'performanceId'>,
    mark?: IdempotencyMark,
  ): Promise<PerformanceId>;
  createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): Promise<ScheduleId>;

  /**
   * Runs `create`, which must hand the mark on, unless the key has made something already: then the same
   * creation gets its id again, and another one 'key-reused'. One that is under way is waited for.
   */
  createOnce(mark: IdempotencyMark, create: () => Promise<number>): Promise<CreatedOnce | 'key-reused'>;
}

export interface CreatedOnce {
  readonly id: number;
  readonly replayed: boolean;
}
