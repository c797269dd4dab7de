import type { Intent } from '../../../src/actors/allocator/command.ts';
import type { IdempotencyMark } from '../../../src/actors/allocator/event.ts';
import type {
  PerformanceId,
  ReservationRef,
  ScheduleId,
  UserId,
  VenueId,
} from '../../../src/actors/allocator/ids.ts';
import type { SeatMap } from '../../../src/actors/allocator/seat-map.ts';
import type { VenueLayout } from '../../../src/actors/allocator/venue-layout.ts';
import type {
  AllocatorService,
  CatalogService,
  CreatedOnce,
  ReadFailure,
} from '../../../src/actors/runtime/allocator-service.ts';
import { AvailabilityView } from '../../../src/actors/runtime/availability-view.ts';
import type { Performance, Schedule, VenueSummary } from '../../../src/actors/runtime/catalog.ts';
import type { AuditCheck, Outcome, Reply, ScheduleCounts } from '../../../src/actors/runtime/outcome.ts';
import type { PaymentRequest } from '../../../src/actors/runtime/payment-request.ts';
import type { ReservationPage, ReservationQuery } from '../../../src/actors/runtime/ports.ts';
import { layout, map, performance, schedule } from './theatre.ts';

export interface Submitted {
  readonly scheduleId: ScheduleId;
  readonly intent: Intent;
}

/** An allocator that answers what the test says and remembers what it was asked. */
export class ScriptedService implements AllocatorService {
  readonly submitted: Submitted[] = [];
  readonly payments: PaymentRequest[] = [];
  readonly queries: ReservationQuery[] = [];
  readonly catalog = new ScriptedCatalog();
  view = new AvailabilityView(map, 5, (ordinal) => ordinal % 2 === 0);

  onSubmit: (submitted: Submitted, reply: Reply) => void = (_submitted, reply) => reply(notFound);
  onPay: (request: PaymentRequest, reply: Reply) => void = (_request, reply) => reply(notFound);
  takesCards = true;
  onRead: (ref: ReservationRef, userId: UserId, reply: Reply) => void = (_ref, _user, reply) =>
    reply(notFound);
  onAvailability: (scheduleId: ScheduleId) => AvailabilityView | ReadFailure = () => this.view;
  onList: (query: ReservationQuery) => Promise<ReservationPage> = async () => ({
    reservations: [],
    hasMore: false,
  });
  onRefresh: (scheduleIds: readonly ScheduleId[]) => Promise<void> | undefined = () => undefined;
  onCount: () => Promise<ScheduleCounts | ReadFailure> = async () => notFoundFailure;
  onAudit: () => Promise<readonly AuditCheck[] | ReadFailure> = async () => notFoundFailure;
  reasons: readonly string[] = [];

  /** Every command is answered with this, at once. */
  answer(outcome: Outcome): void {
    this.onSubmit = (_submitted, reply) => reply(outcome);
  }

  /** Every payment is answered with this, at once. */
  answerPayments(outcome: Outcome): void {
    this.onPay = (_request, reply) => reply(outcome);
  }

  submit(scheduleId: ScheduleId, intent: Intent, reply: Reply): void {
    const submitted = { scheduleId, intent };
    this.submitted.push(submitted);
    this.onSubmit(submitted, reply);
  }

  pay(request: PaymentRequest, reply: Reply): void {
    this.payments.push(request);
    this.onPay(request, reply);
  }

  readReservation(ref: ReservationRef, userId: UserId, reply: Reply): void {
    this.onRead(ref, userId, reply);
  }

  readAvailability(scheduleId: ScheduleId, reply: (result: AvailabilityView | ReadFailure) => void): void {
    reply(this.onAvailability(scheduleId));
  }

  listReservations(query: ReservationQuery): Promise<ReservationPage> {
    this.queries.push(query);
    return this.onList(query);
  }

  refreshAvailable(scheduleIds: readonly ScheduleId[]): Promise<void> | undefined {
    return this.onRefresh(scheduleIds);
  }

  countSeats(): Promise<ScheduleCounts | ReadFailure> {
    return this.onCount();
  }

  audit(): Promise<readonly AuditCheck[] | ReadFailure> {
    return this.onAudit();
  }

  notReadyReasons(): readonly string[] {
    return this.reasons;
  }
}

/** The theatre's one performance and schedule; what is created is only remembered. */
export class ScriptedCatalog implements CatalogService {
  readonly created: object[] = [];
  layouts = 0;
  seatMaps = 0;
  /** Set to make every call that reaches the store fail with it. */
  failure: Error | undefined;

  lessons = 0;
  /** What other nodes have created, and is learnt when somebody asks. */
  elsewhere: { performance?: Performance; schedule?: Schedule } = {};
  #learnt: { performance?: Performance; schedule?: Schedule } = {};

  async learn(): Promise<void> {
    this.#failIfTold();
    this.lessons += 1;
    this.#learnt = this.elsewhere;
  }

  venues(): readonly VenueSummary[] {
    return [{ venueId: layout.venueId, name: layout.name, seats: map.seatCount }];
  }

  performances(): readonly Performance[] {
    return [performance];
  }

  performance(performanceId: PerformanceId): Performance | undefined {
    const known = [performance, this.#learnt.performance];
    return known.find((each) => each?.performanceId === performanceId);
  }

  schedule(scheduleId: ScheduleId): Schedule | undefined {
    return [schedule, this.#learnt.schedule].find((each) => each?.scheduleId === scheduleId);
  }

  schedulesOf(performanceId: PerformanceId): readonly Schedule[] {
    return performanceId === schedule.performanceId ? [schedule] : [];
  }

  freeSeats = 4;

  available(): number {
    return this.freeSeats;
  }

  capacity(): number {
    return map.seatCount;
  }

  async venueLayout(venueId: VenueId): Promise<VenueLayout | undefined> {
    this.#failIfTold();
    this.layouts += 1;
    return venueId === layout.venueId ? layout : undefined;
  }

  async seatMap(scheduleId: ScheduleId): Promise<SeatMap | undefined> {
    this.#failIfTold();
    this.seatMaps += 1;
    return scheduleId === schedule.scheduleId ? map : undefined;
  }

  async createVenue(venue: Omit<VenueLayout, 'venueId'>): Promise<VenueId> {
    return this.#create<VenueId>(venue);
  }

  async createPerformance(created: Omit<Performance, 'performanceId'>): Promise<PerformanceId> {
    return this.#create<PerformanceId>(created);
  }

  async createSchedule(created: Omit<Schedule, 'scheduleId'>): Promise<ScheduleId> {
    return this.#create<ScheduleId>(created);
  }

  async createOnce(
    _mark: IdempotencyMark,
    create: () => Promise<number>,
  ): Promise<CreatedOnce | 'key-reused'> {
    return this.createdBefore ?? { id: await create(), replayed: false };
  }

  /** What every key has made already; undefined = nothing. */
  createdBefore: CreatedOnce | 'key-reused' | undefined;

  #create<Id extends number>(created: object): Id {
    this.#failIfTold();
    this.created.push(created);
    return (this.created.length + 1) as Id;
  }

  #failIfTold(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}

const notFound: Outcome = { kind: 'rejected', rejection: { code: 'not-found' } };
const notFoundFailure: ReadFailure = { failure: 'not-found', retryAfterSeconds: 1 };
