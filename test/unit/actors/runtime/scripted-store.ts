import type {
  IdempotencyKey,
  PerformanceId,
  ReservationNumber,
  ScheduleId,
  ShardId,
  VenueId,
} from '../../../../src/actors/allocator/ids.ts';
import type { VenueLayout } from '../../../../src/actors/allocator/venue-layout.ts';
import type {
  CreationMark,
  Performance,
  Schedule,
  VenueSummary,
} from '../../../../src/actors/runtime/catalog.ts';
import {
  CommitOutcomeUnknown,
  type CommitResolution,
  type JournalBatch,
  type JournalRow,
  type ProjectionImage,
  type ReservationPage,
  type ReservationQuery,
  type ShardEpoch,
  type ShardRecord,
  type Store,
  type StoredReservation,
  type StoredSchedule,
  StoreUnavailable,
} from '../../../../src/actors/runtime/ports.ts';

/**
 * How a commit goes: well, fenced, not at all, or with its answer lost, after it was written (`landed`) or
 * before (`vanished`).
 */
export type CommitStep = 'committed' | 'fenced' | 'unavailable' | 'landed' | 'vanished';

type HeldMethod = 'commit' | 'load' | 'tail' | 'claim' | 'renew' | 'list' | 'transfer' | 'catalog';

export const emptyImage: ProjectionImage = {
  projectedSeq: 0,
  lastAtMs: 0,
  lastReservationNumber: 0,
  blockedSeats: new Int32Array(),
  reservations: {
    count: 0,
    number: new Float64Array(),
    userId: [],
    status: new Uint8Array(),
    seatCount: new Uint8Array(),
    seats: new Int32Array(),
    totalMinor: new Float64Array(),
    heldAtMs: new Float64Array(),
    expiresAtMs: new Float64Array(),
    endedAtMs: new Float64Array(),
    seq: new Float64Array(),
    paymentSeq: new Float64Array(),
    paidAtMs: new Float64Array(),
  },
  openPayments: [],
  marks: {
    count: 0,
    seq: new Float64Array(),
    atMs: new Float64Array(),
    userId: [],
    key: [],
    fingerprint: new Float64Array(),
    number: new Float64Array(),
    kind: new Uint8Array(),
    expiresAtMs: new Float64Array(),
  },
};

/**
 * A store of a few maps that does what a test tells it to. It keeps the journal and nothing else: recovery is
 * evolve from the first event on.
 */
export class ScriptedStore implements Store {
  /** Every call, in order. */
  readonly calls: string[] = [];
  /** Every batch that was sent, again and again if it was. */
  readonly sent: JournalBatch[] = [];
  readonly journal = new Map<ScheduleId, JournalRow[]>();
  readonly shards = new Map<ShardId, { epoch: number; lastBatch: number; owner: string }>();
  readonly stored = new Map<string, StoredReservation>();
  readonly venues: VenueLayout[] = [];
  readonly performances: Performance[] = [];
  readonly schedules: (Schedule & { readonly available: number })[] = [];
  creationMarks: CreationMark[] = [];
  openWork: readonly ScheduleId[] = [];

  /** Of the next commits, then 'committed' for ever. */
  commitSteps: CommitStep[] = [];
  /** Whether the next resolutions and loads fail. */
  failResolutions = 0;
  failLoads = 0;

  readonly #gates = new Map<string, { promise: Promise<void>; open: () => void }>();

  /** Calls of this method wait until `release`. */
  hold(method: HeldMethod): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gates.set(method, { promise, open: resolve });
  }

  release(method: HeldMethod): void {
    this.#gates.get(method)?.open();
    this.#gates.delete(method);
  }

  /** How often a method was called. */
  count(method: string): number {
    return this.calls.filter((call) => call === method).length;
  }

  async claimShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    await this.#enter('claim');
    return shardIds.map((shardId) => {
      const epoch = (this.shards.get(shardId)?.epoch ?? 0) + 1;
      this.shards.set(shardId, { epoch, lastBatch: 0, owner });
      return { shardId, epoch };
    });
  }

  /** Another owner, whoever it is, has the shard from now on. */
  takeAway(shardId: ShardId): void {
    const epoch = (this.shards.get(shardId)?.epoch ?? 0) + 1;
    this.shards.set(shardId, { epoch, lastBatch: 0, owner: 'somebody else' });
  }

  async listShards(): Promise<readonly ShardRecord[]> {
    await this.#enter('list');
    return [...this.shards]
      .map(([shardId, { epoch, owner }]) => ({ shardId, epoch, owner }))
      .sort((a, b) => a.shardId - b.shardId);
  }

  async transferShards(shards: readonly ShardEpoch[], newOwner: string): Promise<readonly ShardEpoch[]> {
    await this.#enter('transfer');
    return shards.flatMap(({ shardId, epoch }) => {
      if ((this.shards.get(shardId)?.epoch ?? 0) !== epoch) return [];
      this.shards.set(shardId, { epoch: epoch + 1, lastBatch: 0, owner: newOwner });
      return [{ shardId, epoch: epoch + 1 }];
    });
  }

  async followShards(): Promise<void> {
    await this.#enter('follow');
  }

  async renewShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    await this.#enter('renew');
    return shardIds.flatMap((shardId) => {
      const shard = this.shards.get(shardId);
      if (shard?.owner !== owner) return [];
      shard.epoch += 1;
      return [{ shardId, epoch: shard.epoch }];
    });
  }

  async commit(batch: JournalBatch): Promise<'committed' | 'fenced'> {
    this.sent.push(batch);
    await this.#enter('commit');
    const step = this.commitSteps.shift() ?? 'committed';
    if (step === 'unavailable') throw new StoreUnavailable('scripted');
    if (step === 'vanished') throw new CommitOutcomeUnknown('scripted');
    if (step === 'fenced' || !this.#matches(batch)) return 'fenced';
    this.#write(batch);
    if (step === 'landed') throw new CommitOutcomeUnknown('scripted');
    return 'committed';
  }

  async resolveCommit(batch: JournalBatch): Promise<CommitResolution> {
    await this.#enter('resolve');
    if (this.failResolutions > 0) {
      this.failResolutions -= 1;
      throw new StoreUnavailable('scripted');
    }
    if (batch.shards.some(({ shardId, epoch }) => this.shards.get(shardId)?.epoch !== epoch)) {
      return { outcome: 'fenced' };
    }
    const isWritten = batch.shards.every(
      ({ shardId }) => this.shards.get(shardId)?.lastBatch === batch.batchNumber,
    );
    const shards = batch.shards.map(({ shardId, epoch }) => {
      this.shards.get(shardId)!.epoch = epoch + 1;
      return { shardId, epoch: epoch + 1 };
    });
    return { outcome: isWritten ? 'committed' : 'not-committed', shards };
  }

  async loadSchedule(scheduleId: ScheduleId): Promise<StoredSchedule> {
    await this.#enter('load');
    if (this.failLoads > 0) {
      this.failLoads -= 1;
      throw new StoreUnavailable('scripted');
    }
    return { image: emptyImage, tail: [...(this.journal.get(scheduleId) ?? [])] };
  }

  async loadTail(scheduleId: ScheduleId, afterSeq: number): Promise<readonly JournalRow[]> {
    await this.#enter('tail');
    if (this.failLoads > 0) {
      this.failLoads -= 1;
      throw new StoreUnavailable('scripted');
    }
    return (this.journal.get(scheduleId) ?? []).filter(({ seq }) => seq > afterSeq);
  }

  async schedulesWithOpenWork(): Promise<readonly ScheduleId[]> {
    await this.#enter('open-work');
    return this.openWork;
  }

  async projectAll(): Promise<void> {
    await this.#enter('project');
  }

  async close(): Promise<void> {
    await this.#enter('close');
  }

  async listReservations({ limit }: ReservationQuery): Promise<ReservationPage> {
    return { reservations: [...this.stored.values()].slice(0, limit), hasMore: this.stored.size > limit };
  }

  async findReservation(
    scheduleId: ScheduleId,
    number: ReservationNumber,
  ): Promise<StoredReservation | undefined> {
    await this.#enter('find');
    return this.stored.get(`${scheduleId}-${number}`);
  }

  async listCreationMarks(): Promise<readonly CreationMark[]> {
    return this.creationMarks;
  }

  async findCreationMark(key: IdempotencyKey): Promise<CreationMark | undefined> {
    return this.creationMarks.find((mark) => mark.key === key);
  }

  async createVenue(layout: Omit<VenueLayout, 'venueId'>): Promise<VenueId> {
    const venueId = (this.venues.length + 1) as VenueId;
    this.venues.push({ ...layout, venueId });
    return venueId;
  }

  async createPerformance(performance: Omit<Performance, 'performanceId'>): Promise<PerformanceId> {
    const performanceId = (this.performances.length + 1) as PerformanceId;
    this.performances.push({ ...performance, performanceId });
    return performanceId;
  }

  async createSchedule(schedule: Omit<Schedule, 'scheduleId'>): Promise<ScheduleId> {
    const scheduleId = (this.schedules.length + 1) as ScheduleId;
    this.schedules.push({ ...schedule, scheduleId, available: 0 });
    return scheduleId;
  }

  async listVenues(afterId: number): Promise<readonly VenueSummary[]> {
    await this.#enter('catalog');
    return this.venues.slice(afterId).map(({ venueId, name, sections }) => ({
      venueId,
      name,
      seats: sections.flatMap(({ rows }) => rows.flatMap((row) => row.seats)).length,
    }));
  }

  async loadVenue(venueId: VenueId): Promise<VenueLayout | undefined> {
    await this.#enter('venue');
    return this.venues.find((venue) => venue.venueId === venueId);
  }

  async listPerformances(afterId: number): Promise<readonly Performance[]> {
    return this.performances.slice(afterId);
  }

  async listSchedules(afterId: number): Promise<readonly (Schedule & { readonly available: number })[]> {
    return this.schedules.slice(afterId);
  }

  async #enter(method: string): Promise<void> {
    this.calls.push(method);
    await this.#gates.get(method)?.promise;
  }

  #matches({ shards, batchNumber }: JournalBatch): boolean {
    return shards.every(({ shardId, epoch }) => {
      const shard = this.shards.get(shardId);
      return shard?.epoch === epoch && shard.lastBatch < batchNumber;
    });
  }

  #write({ shards, batchNumber, rows }: JournalBatch): void {
    for (const { shardId } of shards) this.shards.get(shardId)!.lastBatch = batchNumber;
    for (const row of rows) {
      const journal = this.journal.get(row.scheduleId) ?? [];
      this.journal.set(row.scheduleId, [...journal, row]);
    }
  }
}
