import type { ScheduleId, ShardId } from '../../actors/allocator/ids.ts';
import { StoreUnavailable } from '../../actors/runtime/ports.ts';
import { appendRow, type BatchColumns, type JournalColumns, toJournalColumns } from '../journal-columns.ts';
import type { LagRow } from '../journal-lag.ts';
import type { JournalBacklog } from './journal-backlog.ts';

interface Follower {
  setBacklog(rows: readonly LagRow[]): void;
  /** The same of the schedules that were asked about. */
  setSome(isAsked: (scheduleId: ScheduleId) => boolean, rows: readonly LagRow[]): void;
  forget(isGone: (scheduleId: ScheduleId) => boolean): void;
  noteCommitted(rows: JournalColumns): void;
}

interface JournalFollowersOptions {
  readonly projector: Follower;
  readonly outbox: Follower & {
    /** The database is about to be asked for the next setBacklog or setSome. */
    expectBacklog(): void;
  };
  /** Shards that the database says are this run's: a worker that follows a lost one has claimed nothing itself. */
  readonly readOwned: () => Promise<readonly ShardId[]>;
  readonly readBacklog: (isOwned: (shardId: ShardId) => boolean) => Promise<JournalBacklog>;
  /** Of all schedules of a few shards, for less than readBacklog costs. */
  readonly readBacklogOf: (isAsked: (shardId: ShardId) => boolean) => Promise<JournalBacklog>;
  readonly shardOf: (scheduleId: ScheduleId) => ShardId;
}

/** Of one schedule, while the database was asked. */
interface Committed {
  readonly firstSeq: number;
  lastSeq: number;
}

/**
 * Tells those who follow the journal what is behind: from each commit, and from the database wherever commits don't
 * tell. That is so at the start of this worker, when shards come, and when a commit of unknown outcome turned out to
 * be there. Where a few shards come, as they do in a move, it is asked about their schedules alone, and what is known
 * of the others stands.
 *
 * I7 until the database has answered, nobody may publish (`known`): a follower that begins with what was committed
 * last would leave out what came before, and its position would hide that for good.
 *
 * Commits and publishing go on while the database is asked, and what it may not have counted is added to its answer.
 * What is projected meanwhile is not: the projector finds that out by itself.
 */
export class JournalFollowers {
  readonly #options: JournalFollowersOptions;
  readonly #owned = new Set<ShardId>();
  #hasReadOwned = false;
  /** But for the shards that have arrived since. */
  #isKnown = false;
  /** Shards of which nothing is known yet; the number tells one arrival of a shard from its next. */
  readonly #arrived = new Map<ShardId, number>();
  #arrivals = 0;
  #doubts = 0;
  #asking: Promise<void> | undefined;
  /** Of which shards the database is being asked; undefined: nothing is asked, or all of it. */
  #askedOf: ReadonlyMap<ShardId, number> | undefined;
  #meanwhile = new Map<ScheduleId, Committed>();

  constructor(options: JournalFollowersOptions) {
    this.#options = options;
  }

  /** Shards came, maybe all that there are: everything is asked anew. */
  noteOwned(shardIds: Iterable<ShardId>): void {
    for (const shardId of shardIds) this.#owned.add(shardId);
    this.noteDoubt();
  }

  /** A few shards came, whose schedules are as the catalogue says. */
  noteArrived(shardIds: readonly ShardId[]): void {
    if (shardIds.length > arrivalsMax) return this.noteOwned(shardIds);
    for (const shardId of shardIds) {
      this.#owned.add(shardId);
      this.#arrivals += 1;
      this.#arrived.set(shardId, this.#arrivals);
    }
  }

  /** Whoever has them now asks the database what lies behind. */
  noteNotOwned(shardIds: readonly ShardId[]): void {
    const gone = new Set(shardIds);
    for (const shardId of gone) {
      this.#owned.delete(shardId);
      this.#arrived.delete(shardId);
    }
    const isGone = (scheduleId: ScheduleId) => gone.has(this.#options.shardOf(scheduleId));
    this.#options.projector.forget(isGone);
    this.#options.outbox.forget(isGone);
  }

  /** Something was committed that nobody told us of. */
  noteDoubt(): void {
    this.#isKnown = false;
    this.#doubts += 1;
  }

  /** Call after each commit. */
  noteCommitted({ shards, rows }: BatchColumns): void {
    const strange = shards.map(({ shardId }) => shardId).filter((shardId) => !this.#owned.has(shardId));
    if (strange.length > 0) this.noteOwned(strange);
    if (this.#isKnown && this.#arrived.size === 0) {
      this.#options.projector.noteCommitted(rows);
      this.#options.outbox.noteCommitted(rows);
    } else if (this.#isKnown) {
      this.#noteSome(rows);
    } else if (this.#asking !== undefined) {
      for (let i = 0; i < rows.count; i++) this.#noteMeanwhile(rows.scheduleId[i]!, rows.seq[i]!);
    }
  }

  /** What is of a shard that is not known yet, and that the database is not asked of now, it will be asked of. */
  #noteSome(rows: JournalColumns): void {
    const known = toJournalColumns([]);
    for (let i = 0; i < rows.count; i++) {
      const shardId = rows.shardId[i]!;
      if (!this.#arrived.has(shardId)) appendRow(known, rows, i);
      else if (this.#isAskedOf(shardId)) this.#noteMeanwhile(rows.scheduleId[i]!, rows.seq[i]!);
    }
    this.#options.projector.noteCommitted(known);
    this.#options.outbox.noteCommitted(known);
  }

  /** In this arrival of it. */
  #isAskedOf(shardId: ShardId): boolean {
    const arrival = this.#arrived.get(shardId);
    return arrival !== undefined && this.#askedOf?.get(shardId) === arrival;
  }

  /** Resolves when the followers know what is behind. Rejects as the reads do; the next call asks again. */
  known(): Promise<void> {
    if (this.#isKnown && this.#arrived.size === 0) return Promise.resolve();
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
      this.#askedOf = undefined;
    });
    return this.#asking;
  }

  /** As known, for a caller who can't wait longer; rejects with StoreUnavailable then. */
  async knownWithin(limitMs: number): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const late = () => new StoreUnavailable(`what is behind was not known within ${limitMs} ms`);
    const timer = setTimeout(() => reject(late()), limitMs);
    try {
      await Promise.race([this.known(), promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(): Promise<void> {
    while (!this.#isKnown || this.#arrived.size > 0) {
      this.#meanwhile = new Map();
      this.#options.outbox.expectBacklog();
      if (this.#isKnown) await this.#askOfArrived();
      else await this.#askOfAll();
    }
  }

  async #askOfAll(): Promise<void> {
    const doubts = this.#doubts;
    const arrived = new Map(this.#arrived);
    if (!this.#hasReadOwned) {
      for (const shardId of await this.#options.readOwned()) this.#owned.add(shardId);
      this.#hasReadOwned = true;
    }
    const backlog = await this.#options.readBacklog((shardId) => this.#owned.has(shardId));
    if (doubts !== this.#doubts) return;
    this.#options.projector.setBacklog(withCommits(backlog.unprojected, this.#meanwhile));
    this.#options.outbox.setBacklog(withCommits(backlog.unpublished, this.#meanwhile));
    this.#isKnown = true;
    this.#noteKnown(arrived);
  }

  async #askOfArrived(): Promise<void> {
    const asked = new Map(this.#arrived);
    this.#askedOf = asked;
    const backlog = await this.#options.readBacklogOf((shardId) => asked.has(shardId));
    // A shard that went meanwhile is not ours; one that came again was somebody else's in between.
    const isAsked = (scheduleId: ScheduleId) => this.#isAskedOf(this.#options.shardOf(scheduleId));
    const rowsOf = (rows: readonly LagRow[]) =>
      withCommits(
        rows.filter(([scheduleId]) => isAsked(scheduleId)),
        this.#meanwhile,
      );
    if (this.#isKnown) {
      this.#options.projector.setSome(isAsked, rowsOf(backlog.unprojected));
      this.#options.outbox.setSome(isAsked, rowsOf(backlog.unpublished));
      this.#noteKnown(asked);
    }
    this.#askedOf = undefined;
  }

  /** But for what has come again since. */
  #noteKnown(arrivals: ReadonlyMap<ShardId, number>): void {
    for (const [shardId, arrival] of arrivals) {
      if (this.#arrived.get(shardId) === arrival) this.#arrived.delete(shardId);
    }
  }

  #noteMeanwhile(scheduleId: ScheduleId, seq: number): void {
    const committed = this.#meanwhile.get(scheduleId);
    if (committed !== undefined) committed.lastSeq = seq;
    else this.#meanwhile.set(scheduleId, { firstSeq: seq, lastSeq: seq });
  }
}

/** More than these are asked about with all the others: that costs less by then. */
const arrivalsMax = 32;

/** A schedule that the database did not name was not behind when it was asked. */
function withCommits(
  rows: readonly LagRow[],
  commits: ReadonlyMap<ScheduleId, Committed>,
): readonly LagRow[] {
  const named = new Set(rows.map(([scheduleId]) => scheduleId));
  const grown = rows.map(([scheduleId, doneSeq, committedSeq]): LagRow => {
    const lastSeq = commits.get(scheduleId)?.lastSeq ?? 0;
    return [scheduleId, doneSeq, Math.max(committedSeq, lastSeq)];
  });
  const added = [...commits].filter(([scheduleId]) => !named.has(scheduleId));
  return grown.concat(
    added.map(([scheduleId, { firstSeq, lastSeq }]) => [scheduleId, firstSeq - 1, lastSeq]),
  );
}
