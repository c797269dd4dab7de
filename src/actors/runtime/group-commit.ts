import { assert } from '../allocator/assert.ts';
import type { ScheduleEvent } from '../allocator/event.ts';
import type { ScheduleId, ShardId } from '../allocator/ids.ts';
import { encodeEvent } from './event-codec.ts';
import type { UnavailableCode } from './outcome.ts';
import type { Ownership } from './ownership.ts';
import {
  type Clock,
  type JournalBatch,
  type JournalRow,
  type ShardStore,
  StoreUnavailable,
} from './ports.ts';
import type { BatchOutcome, RuntimeObserver } from './runtime-observer.ts';

/**
 * Greedy group commit and the output gate, for all actors of a process (I2, I9).
 *
 * Events join the open batch as they are decided. One batch is in flight; when it is done, what has come
 * together meanwhile is the next. There is no timer: a lone request waits for one commit, and a thousand
 * share one. A reply is a `Settle` that rests with the newest batch that has an event of its actor: it is
 * called when that batch is on disk, so no answer, refusal or read shows what a crash could still take back.
 *
 * A batch that is not known to be on disk takes every event of its actors with it, in this batch and in the
 * ones behind: they were decided on a state that may never have been. Their actors forget everything and
 * recover from the store; other actors' events stay where they are.
 */
export class GroupCommit {
  readonly #store: ShardStore;
  readonly #ownership: Ownership;
  readonly #clock: Clock;
  readonly #observer: RuntimeObserver;
  readonly #rowsMax: number;
  /** Behind the one in flight, in order; the last one is open. */
  #queue: Batch[] = [];
  #inFlight: Batch | undefined;
  #isSendDeferred = false;
  #batchNumber = 0;
  #pending = 0;
  /** When a batch was last lost; undefined since one was committed. */
  #lostAtMs: number | undefined;
  #onIdle: (() => void)[] = [];

  constructor(options: GroupCommitOptions) {
    this.#store = options.store;
    this.#ownership = options.ownership;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#rowsMax = options.rowsMax;
  }

  /** Replies that wait for the disk. */
  get pending(): number {
    return this.#pending;
  }

  /** A batch was lost within this time, and none was committed since. */
  hasLostWithin(durationMs: number): boolean {
    return this.#lostAtMs !== undefined && this.#clock.monotonicMs() - this.#lostAtMs < durationMs;
  }

  /** Adds events that `member` has decided and applied, all in one batch, and the reply that rests on them. */
  append(member: Member, events: readonly ScheduleEvent[], settle: Settle): void {
    assert(events.length > 0, 'a batch is joined with events');
    let batch = this.#queue.at(-1);
    if (batch === undefined || batch.rows.length + events.length > this.#rowsMax) {
      batch = new Batch();
      this.#queue.push(batch);
    }
    for (const event of events) batch.rows.push(toRow(member, event));
    batch.lastSeqOf.set(member, (events.at(-1) as ScheduleEvent).seq);
    member.newestBatch = batch;
    this.#rest(batch, member, settle);
    this.#deferSend();
  }

  /** Calls `settle` when everything that `member` has decided so far is on disk: at once, if it is. */
  whenDurable(member: Member, settle: Settle): void {
    if (member.newestBatch === undefined) settle('durable');
    else this.#rest(member.newestBatch, member, settle);
  }

  /**
   * Takes the member's events out of every batch that was not sent yet: its state is not to be trusted.
   * What is in flight goes on; whenDurable tells when it is settled.
   */
  withdraw(member: Member, code: UnavailableCode): void {
    this.#removeFromQueue(new Set([member]), code);
    const inFlight = this.#inFlight?.lastSeqOf.has(member) === true;
    member.newestBatch = inFlight ? this.#inFlight : undefined;
  }

  /** Resolves when nothing waits and nothing is in flight. */
  whenIdle(): Promise<void> {
    if (this.#inFlight === undefined && this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #rest(batch: Batch, member: Member, settle: Settle): void {
    batch.waiting.push({ member, settle });
    this.#pending += 1;
  }

  #deferSend(): void {
    if (this.#inFlight !== undefined || this.#isSendDeferred) return;
    this.#isSendDeferred = true;
    this.#clock.defer(() => {
      this.#isSendDeferred = false;
      this.#sendNext();
    });
  }

  #sendNext(): void {
    if (this.#inFlight !== undefined) return;
    const batch = this.#queue.shift();
    if (batch === undefined) {
      for (const resolve of this.#onIdle.splice(0)) resolve();
      return;
    }
    this.#inFlight = batch;
    this.#batchNumber += 1;
    void this.#send(batch, this.#batchNumber);
  }

  async #send(batch: Batch, batchNumber: number): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    const { outcome, code } = await this.#commit(batch, batchNumber);
    this.#observer.onBatch(batch.rows.length, this.#clock.monotonicMs() - startedMs, outcome);
    this.#inFlight = undefined;
    this.#lostAtMs = outcome === 'lost' ? this.#clock.monotonicMs() : undefined;
    if (outcome === 'committed') {
      for (const [member, seq] of batch.lastSeqOf) {
        if (member.newestBatch === batch) member.newestBatch = undefined;
        member.onDurable(seq);
      }
      // The next batch is on its way to the disk while these replies are written.
      this.#sendNext();
      this.#settle(batch.waiting, 'durable');
    } else {
      this.#lose(batch, code);
      this.#sendNext();
    }
  }

  async #commit(
    batch: Batch,
    batchNumber: number,
  ): Promise<{ outcome: BatchOutcome; code: UnavailableCode }> {
    const shardIds = new Set(batch.rows.map((row) => row.shardId));
    try {
      for (let sends = 1; ; sends++) {
        // The store would say the same; and what is lost has no epoch any more.
        const isLost = [...shardIds].some((shardId) => this.#ownership.standing(shardId) === 'lost');
        if (isLost) return { outcome: 'fenced', code: 'shard-moving' };
        const journalBatch = this.#toJournalBatch(batch, batchNumber, shardIds);
        const settled = await this.#commitOnce(journalBatch);
        if (settled === 'again' && sends < sendsMax) continue;
        if (settled === 'again') {
          this.#ownership.markSuspect(shardIds);
          throw new Error(`a batch was sent ${sends} times, and each time its answer was lost`);
        }
        // One of them at least is lost; recovery finds out which, and the others stay ours.
        if (settled === 'fenced') this.#ownership.markSuspect(shardIds);
        return { outcome: settled, code: 'shard-moving' };
      }
    } catch (error) {
      this.#observer.onFault('commit failed', error);
      return { outcome: 'lost', code: 'store-unavailable' };
    }
  }

  /** 'again': the batch is certainly not on disk and is to be sent under the new epochs. */
  async #commitOnce(journalBatch: JournalBatch): Promise<'committed' | 'fenced' | 'again'> {
    try {
      return await this.#store.commit(journalBatch);
    } catch (error) {
      // Whatever else went wrong may have gone wrong after COMMIT.
      if (error instanceof StoreUnavailable) throw error;
      this.#observer.onFault('commit of unknown outcome', error);
    }
    const shardIds = journalBatch.shards.map(({ shardId }) => shardId);
    const askedAtMs = this.#clock.monotonicMs();
    let resolution: Awaited<ReturnType<ShardStore['resolveCommit']>>;
    try {
      resolution = await this.#store.resolveCommit(journalBatch);
    } catch (error) {
      this.#ownership.markSuspect(shardIds);
      throw error;
    }
    if (resolution.outcome === 'fenced') return 'fenced';
    this.#ownership.raise(resolution.shards, askedAtMs);
    return resolution.outcome === 'committed' ? 'committed' : 'again';
  }

  #toJournalBatch(batch: Batch, batchNumber: number, shardIds: ReadonlySet<ShardId>): JournalBatch {
    const shards = [...shardIds].map((shardId) => ({ shardId, epoch: this.#ownership.epoch(shardId) }));
    return { batchNumber, shards, rows: batch.rows };
  }

  #lose(batch: Batch, code: UnavailableCode): void {
    const lost = new Set(batch.lastSeqOf.keys());
    for (const { lastSeqOf } of this.#queue) {
      for (const member of lastSeqOf.keys()) {
        if (this.#ownership.standing(member.shardId) !== 'owned') lost.add(member);
      }
    }
    for (const member of lost) {
      member.newestBatch = undefined;
      member.onLost();
    }
    this.#settle(batch.waiting, code);
    this.#removeFromQueue(lost, code);
  }

  #removeFromQueue(members: ReadonlySet<Member>, code: UnavailableCode): void {
    const refused: Waiting[] = [];
    for (const batch of this.#queue) {
      refused.push(...batch.waiting.filter(({ member }) => members.has(member)));
      batch.waiting = batch.waiting.filter(({ member }) => !members.has(member));
      const scheduleIds = new Set([...members].map((member) => member.scheduleId));
      batch.rows = batch.rows.filter((row) => !scheduleIds.has(row.scheduleId));
      for (const member of members) batch.lastSeqOf.delete(member);
    }
    this.#queue = this.#queue.filter((batch) => batch.rows.length > 0);
    this.#settle(refused, code);
  }

  #settle(waiting: readonly Waiting[], result: 'durable' | UnavailableCode): void {
    this.#pending -= waiting.length;
    for (const { settle } of waiting) settle(result);
  }
}

/** How often a batch is sent whose answer is lost each time. */
const sendsMax = 5;

interface GroupCommitOptions {
  readonly store: ShardStore;
  readonly ownership: Ownership;
  readonly clock: Clock;
  readonly observer: RuntimeObserver;
  /** Rows of a batch; a command's events are never parted. */
  readonly rowsMax: number;
}

/** 'durable', or why what it rests on is not to be relied on. */
export type Settle = (result: 'durable' | UnavailableCode) => void;

/** An actor, as the commit path sees it. */
export interface Member {
  readonly scheduleId: ScheduleId;
  readonly shardId: ShardId;
  /** The newest batch with an event of this member; undefined when all of them are on disk. GroupCommit's. */
  newestBatch: Batch | undefined;
  /** Everything up to `seq` is on disk. */
  onDurable(seq: number): void;
  /** Something decided here is not on disk: forget everything, recover before the next command. */
  onLost(): void;
}

interface Waiting {
  readonly member: Member;
  readonly settle: Settle;
}

/** Events that go to the disk together, and the replies that wait for them. */
export class Batch {
  rows: JournalRow[] = [];
  readonly lastSeqOf = new Map<Member, number>();
  waiting: Waiting[] = [];
}

const toRow = (member: Member, event: ScheduleEvent): JournalRow => ({
  scheduleId: member.scheduleId,
  shardId: member.shardId,
  seq: event.seq,
  atMs: event.atMs,
  type: event.type,
  payload: encodeEvent(event),
});
