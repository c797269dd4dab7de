import type { IdempotencyMark } from '../../../src/actors/allocator/event.ts';
import type {
  IdempotencyKey,
  PerformanceId,
  ReservationNumber,
  ScheduleId,
  ShardId,
  VenueId,
} from '../../../src/actors/allocator/ids.ts';
import type { VenueLayout } from '../../../src/actors/allocator/venue-layout.ts';
import type {
  CreationMark,
  Performance,
  Schedule,
  VenueSummary,
} from '../../../src/actors/runtime/catalog.ts';
import {
  CommitOutcomeUnknown,
  type CommitResolution,
  type JournalBatch,
  type JournalRow,
  type ReservationPage,
  type ReservationQuery,
  type ShardEpoch,
  type ShardRecord,
  type Store,
  type StoredReservation,
  type StoredSchedule,
  StoreUnavailable,
} from '../../../src/actors/runtime/ports.ts';
import type { Counters } from '../counters.ts';
import type { CommitFate } from '../fates.ts';
import type { FailingCall } from '../operation.ts';
import { type Owner, type Scheduler, serverOwner } from '../scheduler.ts';
import type { Database } from './database.ts';
import type { FaultPlan } from './fault-plan.ts';

/**
 * One node's connection to the database: the store port. A call reaches the database in one turn and its
 * answer comes back in another; between the two, and before the first, everything else may happen.
 */
export class StoreConnection implements Store {
  readonly #database: Database;
  readonly #scheduler: Scheduler;
  readonly #faults: FaultPlan;
  readonly #counters: Counters;
  readonly #owner: Owner;
  readonly #isReachable: () => boolean;
  readonly #answerDelayMs: () => number;
  #commitOnItsWay: JournalBatch | undefined;
  #openCalls = 0;
  #isClosed = false;

  constructor(options: StoreConnectionOptions) {
    this.#database = options.database;
    this.#scheduler = options.scheduler;
    this.#faults = options.faults;
    this.#counters = options.counters;
    this.#owner = options.owner;
    this.#isReachable = options.isReachable ?? (() => true);
    this.#answerDelayMs = options.answerDelayMs ?? (() => 0);
  }

  claimShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    return this.#call('claimShards', 'claim', () => this.#database.claim(owner, shardIds));
  }

  renewShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    return this.#call('renewShards', 'claim', () => this.#database.renew(owner, shardIds));
  }

  listShards(): Promise<readonly ShardRecord[]> {
    return this.#call('listShards', 'any', () => this.#database.store.listShards());
  }

  transferShards(
    shards: readonly ShardEpoch[],
    newOwner: string,
    how: 'given' | 'taken',
  ): Promise<readonly ShardEpoch[]> {
    return this.#call(`transferShards (${how} to ${newOwner})`, 'claim', () => {
      const lost = this.#faults.takeLostTransfer();
      if (lost === undefined) return this.#database.transfer(shards, newOwner);
      this.#counters.add(`transfer lost: ${lost.fate}`);
      const take = () => void this.#database.transfer(shards, newOwner);
      if (lost.fate === 'landed') take();
      if (lost.fate === 'later') {
        const label = `the lost transfer to ${newOwner} arrives`;
        this.#scheduler.add({ owner: serverOwner, label, run: take }, lost.delayTurns);
      }
      throw new StoreUnavailable(`the answer to a transfer is lost (${lost.fate})`);
    });
  }

  followShards(): Promise<void> {
    return this.#call('followShards', 'any', () => this.#database.store.followShards());
  }

  commit(batch: JournalBatch): Promise<'committed' | 'fenced'> {
    const sent: JournalBatch = { ...batch, shards: [...batch.shards], rows: [...batch.rows] };
    this.#commitOnItsWay = sent;
    return this.#call('commit', 'commit', () => {
      this.#commitOnItsWay = undefined;
      const lost = this.#faults.takeLostAnswer();
      if (lost === undefined) return this.#land(sent, 'commit');
      this.#decideFate(sent, lost.fate, lost.delayTurns);
      throw new CommitOutcomeUnknown(`the answer to batch ${sent.batchNumber} is lost (${lost.fate})`);
    });
  }

  resolveCommit(batch: JournalBatch): Promise<CommitResolution> {
    return this.#call('resolveCommit', 'resolve', async () => {
      const resolution = await this.#database.resolve(batch);
      this.#counters.add(`resolved as ${resolution.outcome}`);
      return resolution;
    });
  }

  loadSchedule(
    scheduleId: ScheduleId,
    since: { readonly endedSinceMs: number; readonly markedSinceMs: number },
  ): Promise<StoredSchedule> {
    return this.#call('loadSchedule', 'load', async () => {
      const stored = await this.#database.store.loadSchedule(scheduleId, since);
      if (stored.image.projectedSeq > 0 && stored.tail.length > 0) this.#counters.add('load: image and tail');
      return stored;
    });
  }

  loadTail(scheduleId: ScheduleId, afterSeq: number): Promise<readonly JournalRow[]> {
    return this.#call('loadTail', 'load', () => this.#database.store.loadTail(scheduleId, afterSeq));
  }

  schedulesWithOpenWork(): Promise<readonly ScheduleId[]> {
    return this.#call('schedulesWithOpenWork', 'any', () => this.#database.store.schedulesWithOpenWork());
  }

  projectAll(): Promise<void> {
    return this.#call('projectAll', 'any', () => this.#database.store.projectAll());
  }

  listReservations(query: ReservationQuery): Promise<ReservationPage> {
    return this.#call('listReservations', 'any', () => this.#database.store.listReservations(query));
  }

  findReservation(scheduleId: ScheduleId, number: ReservationNumber): Promise<StoredReservation | undefined> {
    return this.#call('findReservation', 'any', () =>
      this.#database.store.findReservation(scheduleId, number),
    );
  }

  createVenue(layout: Omit<VenueLayout, 'venueId'>, mark?: IdempotencyMark): Promise<VenueId> {
    return this.#call('createVenue', 'any', () => this.#database.store.createVenue(layout, mark));
  }

  createPerformance(
    performance: Omit<Performance, 'performanceId'>,
    mark?: IdempotencyMark,
  ): Promise<PerformanceId> {
    return this.#call('createPerformance', 'any', () =>
      this.#database.store.createPerformance(performance, mark),
    );
  }

  listCreationMarks(): Promise<readonly CreationMark[]> {
    return this.#call('listCreationMarks', 'any', () => this.#database.store.listCreationMarks());
  }

  createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): Promise<ScheduleId> {
    return this.#call('createSchedule', 'any', () => this.#database.store.createSchedule(schedule, mark));
  }

  findCreationMark(key: IdempotencyKey): Promise<CreationMark | undefined> {
    return this.#call('findCreationMark', 'any', () => this.#database.store.findCreationMark(key));
  }

  listVenues(afterId: number): Promise<readonly VenueSummary[]> {
    return this.#call('listVenues', 'any', () => this.#database.store.listVenues(afterId));
  }

  loadVenue(venueId: VenueId): Promise<VenueLayout | undefined> {
    return this.#call('loadVenue', 'load', () => this.#database.store.loadVenue(venueId));
  }

  listPerformances(afterId: number): Promise<readonly Performance[]> {
    return this.#call('listPerformances', 'any', () => this.#database.store.listPerformances(afterId));
  }

  listSchedules(afterId: number): Promise<readonly (Schedule & { readonly available: number })[]> {
    return this.#call('listSchedules', 'any', () => this.#database.store.listSchedules(afterId));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#openCalls > 0) {
      await new Promise<void>((resolve) => this.#later('close waits', resolve));
    }
  }

  /** The process is gone: what was on its way to the database meets its fate there. */
  sever(fate: CommitFate, delayTurns: number): void {
    const onItsWay = this.#commitOnItsWay;
    this.#commitOnItsWay = undefined;
    if (onItsWay === undefined) return;
    this.#counters.add(`died with a commit on its way: ${fate}`);
    this.#decideFate(onItsWay, fate, delayTurns);
  }

  #decideFate(batch: JournalBatch, fate: CommitFate, delayTurns: number): void {
    this.#counters.add(`answer lost, batch ${fate}`);
    // Nobody hears the answer; the auditor hears of rows that were refused.
    const land = (how: string) => void this.#land(batch, how).catch(() => {});
    if (fate === 'landed') land('unheard commit');
    if (fate !== 'later') return;
    const label = `the lost batch ${batch.batchNumber} arrives`;
    this.#scheduler.add({ owner: serverOwner, label, run: () => land('late commit') }, delayTurns);
  }

  async #land(batch: JournalBatch, how: string): Promise<'committed' | 'fenced'> {
    const outcome = await this.#database.commit(batch);
    this.#counters.add(`${how} ${outcome}`);
    return outcome;
  }

  #call<T>(name: string, kind: FailingCall, execute: () => Promise<T>): Promise<T> {
    this.#openCalls += 1;
    return new Promise<T>((resolve, reject) => {
      if (this.#isClosed) {
        return this.#later(`${name} is refused`, () => reject(new StoreUnavailable('the store is closed')));
      }
      this.#later(name, () =>
        this.#reach(kind, execute).then(
          (answer) =>
            this.#answerLater(`${name} is answered`, () => {
              if (this.#isReachable()) resolve(answer);
              else reject(this.#unheard(name, kind));
            }),
          (error: unknown) => this.#later(`${name} fails: ${error}`, () => reject(error)),
        ),
      );
    }).finally(() => {
      this.#openCalls -= 1;
    });
  }

  /** The moment in which the call takes effect, or does not. */
  async #reach<T>(kind: FailingCall, execute: () => Promise<T>): Promise<T> {
    const isReachable = this.#isReachable();
    if (isReachable && !this.#faults.takeFailure(kind)) return execute();
    this.#counters.add(isReachable ? `store failed: ${kind}` : 'store not reached');
    if (kind === 'commit') this.#commitOnItsWay = undefined;
    throw new StoreUnavailable(`${kind}: the store is down`);
  }

  #unheard(name: string, kind: FailingCall): Error {
    this.#counters.add('store not heard');
    const message = `${name}: its answer can't come back`;
    return kind === 'commit' ? new CommitOutcomeUnknown(message) : new StoreUnavailable(message);
  }

  #answerLater(label: string, run: () => void): void {
    const delayMs = this.#answerDelayMs();
    if (delayMs === 0) return this.#later(label, run);
    this.#counters.add('store late');
    this.#scheduler.addTimer({ owner: this.#owner, label, run }, delayMs);
  }

  #later(label: string, run: () => void): void {
    this.#scheduler.add({ owner: this.#owner, label, run });
  }
}

export interface StoreConnectionOptions {
  readonly database: Database;
  readonly scheduler: Scheduler;
  readonly faults: FaultPlan;
  readonly counters: Counters;
  readonly owner: Owner;
  /** Whether the network between the two is whole. */
  isReachable?(): boolean;
  /** How long the answer to a call that has just taken effect is on its way. */
  answerDelayMs?(): number;
}
