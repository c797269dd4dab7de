import type { ScheduleId, ShardId } from '../../actors/allocator/ids.ts';
import { StoreUnavailable } from '../../actors/runtime/ports.ts';
import type { BatchColumns, JournalColumns } from '../journal-columns.ts';
import type { LagRow } from '../journal-lag.ts';
import type { JournalBacklog } from './journal-backlog.ts';

interface Follower {
  setBacklog(rows: readonly LagRow[]): void;
  noteCommitted(rows: JournalColumns): void;
}

interface JournalFollowersOptions {
  readonly projector: Follower;
  readonly outbox: Follower & {
    /** The database is about to be asked for the next setBacklog. */
    expectBacklog(): void;
  };
  /** Shards that the database says are this run's: a worker that follows a lost one has claimed nothing itself. */
  readonly readOwned: () => Promise<readonly ShardId[]>;
  readonly readBacklog: (isOwned: (shardId: ShardId) => boolean) => Promise<JournalBacklog>;
}

/** Of one schedule, while the database was asked. */
interface Committed {
  readonly firstSeq: number;
  lastSeq: number;
}

/**
 * Tells those who follow the journal what is behind: from each commit, and from the database wherever commits don't
 * tell. That is so at the start of this worker, when shards come, and when a commit of unknown outcome turned out to
 * be there.
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
  #isKnown = false;
  #doubts = 0;
  #asking: Promise<void> | undefined;
  #meanwhile = new Map<ScheduleId, Committed>();

  constructor(options: JournalFollowersOptions) {
    this.#options = options;
  }

  noteOwned(shardIds: Iterable<ShardId>): void {
    for (const shardId of shardIds) this.#owned.add(shardId);
    this.noteDoubt();
  }

  noteNotOwned(shardIds: Iterable<ShardId>): void {
    for (const shardId of shardIds) this.#owned.delete(shardId);
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
    if (this.#isKnown) {
      this.#options.projector.noteCommitted(rows);
      this.#options.outbox.noteCommitted(rows);
    } else if (this.#asking !== undefined) {
      this.#noteMeanwhile(rows);
    }
  }

  /** Resolves when the followers know what is behind. Rejects as the reads do; the next call asks again. */
  known(): Promise<void> {
    if (this.#isKnown) return Promise.resolve();
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
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
    while (!this.#isKnown) {
      const doubts = this.#doubts;
      this.#meanwhile = new Map();
      this.#options.outbox.expectBacklog();
      if (!this.#hasReadOwned) {
        for (const shardId of await this.#options.readOwned()) this.#owned.add(shardId);
        this.#hasReadOwned = true;
      }
      const backlog = await this.#options.readBacklog((shardId) => this.#owned.has(shardId));
      if (doubts !== this.#doubts) continue;
      this.#options.projector.setBacklog(withCommits(backlog.unprojected, this.#meanwhile));
      this.#options.outbox.setBacklog(withCommits(backlog.unpublished, this.#meanwhile));
      this.#isKnown = true;
    }
  }

  #noteMeanwhile({ count, scheduleId, seq }: JournalColumns): void {
    for (let i = 0; i < count; i++) {
      const committed = this.#meanwhile.get(scheduleId[i]!);
      if (committed !== undefined) committed.lastSeq = seq[i]!;
      else this.#meanwhile.set(scheduleId[i]!, { firstSeq: seq[i]!, lastSeq: seq[i]! });
    }
  }
}

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
