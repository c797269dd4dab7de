import type { ScheduleEventType } from '../../actors/allocator/event.ts';
import type { ScheduleId, ShardId } from '../../actors/allocator/ids.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import type { JournalColumns } from '../journal-columns.ts';

/** An event as it is stored, but for its schedule. */
export interface JournalEntry {
  readonly seq: number;
  readonly shardId: ShardId;
  readonly atMs: number;
  readonly type: ScheduleEventType;
  readonly payload: string;
}

type EntryRow = [seq: number, shardId: ShardId, atMs: number, type: ScheduleEventType, payload: string];

/**
 * Reads the journal for those who follow it. What this process has just committed is kept for a while, so that
 * who keeps up asks the database for nothing: reading a row back costs it half of what writing it did. A row is
 * never changed, so what is kept stays true, whoever else has written since.
 */
export class JournalReader {
  readonly #recentMax: number;
  readonly #runs = new Map<ScheduleId, Run>();
  /** A schedule an entry, in the order of commit. */
  readonly #order: ScheduleId[] = [];
  #oldest = 0;

  /** @param recentMax entries that are kept. */
  constructor(recentMax = 16_384) {
    this.#recentMax = recentMax;
  }

  /** Call after each commit with its rows. */
  noteCommitted({ count, scheduleId, seq, shardId, atMs, type, payload }: JournalColumns): void {
    for (let i = 0; i < count; i++) {
      const id = scheduleId[i]!;
      let run = this.#runs.get(id);
      if (run === undefined || run.nextSeq !== seq[i]) {
        run = new Run(seq[i]!);
        this.#runs.set(id, run);
      }
      run.push({
        seq: seq[i]!,
        shardId: shardId[i]!,
        atMs: atMs[i]!,
        type: type[i]!,
        payload: payload[i]!,
      });
      this.#order.push(id);
    }
    this.#forget();
  }

  /** At most `limit` events after `afterSeq`, in their order. */
  async read(
    session: MySqlSession,
    scheduleId: ScheduleId,
    afterSeq: number,
    limit: number,
  ): Promise<readonly JournalEntry[]> {
    const recent = this.#runs.get(scheduleId)?.after(afterSeq, limit);
    if (recent !== undefined) return recent;
    const rows = await session.rows<EntryRow>(readJournalSql, [scheduleId, afterSeq, limit]);
    return rows.map(([seq, shardId, atMs, type, payload]) => ({ seq, shardId, atMs, type, payload }));
  }

  #forget(): void {
    while (this.#order.length - this.#oldest > this.#recentMax) {
      const id = this.#order[this.#oldest]!;
      this.#oldest += 1;
      const run = this.#runs.get(id);
      if (run?.dropOldest() === 0) this.#runs.delete(id);
    }
    if (this.#oldest > this.#recentMax) {
      this.#order.splice(0, this.#oldest);
      this.#oldest = 0;
    }
  }
}

const readJournalSql = `SELECT seq, shard_id, at_ms, type, payload FROM event_log
  WHERE schedule_id = ? AND seq > ? ORDER BY seq LIMIT ?`;

/** Entries of one schedule without a gap. */
class Run {
  #entries: JournalEntry[] = [];
  #start = 0;
  #firstSeq: number;

  constructor(firstSeq: number) {
    this.#firstSeq = firstSeq;
  }

  get nextSeq(): number {
    return this.#firstSeq + this.#entries.length - this.#start;
  }

  push(entry: JournalEntry): void {
    this.#entries.push(entry);
  }

  /** Undefined when the next entry is not here. */
  after(afterSeq: number, limit: number): readonly JournalEntry[] | undefined {
    const offset = afterSeq + 1 - this.#firstSeq;
    if (offset < 0 || afterSeq + 1 >= this.nextSeq) return undefined;
    const from = this.#start + offset;
    return this.#entries.slice(from, from + limit);
  }

  /** @returns how many are left. */
  dropOldest(): number {
    if (this.#entries.length > this.#start) {
      this.#start += 1;
      this.#firstSeq += 1;
    }
    if (this.#start > 1024 && this.#start * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
    return this.#entries.length - this.#start;
  }
}
