import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import type { ReservationNumber, ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import {
  type Batch,
  GroupCommit,
  type Member,
  type Settle,
} from '../../../../src/actors/runtime/group-commit.ts';
import { Ownership } from '../../../../src/actors/runtime/ownership.ts';
import {
  type BatchOutcome,
  type RuntimeObserver,
  silentObserver,
} from '../../../../src/actors/runtime/runtime-observer.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedStore } from './scripted-store.ts';

/** GroupCommit between members that only take notes and a store that does what a test says. */
export class CommitStage {
  readonly store = new ScriptedStore();
  readonly clock = new ManualClock();
  readonly ownership = new Ownership(this.store, 'node-1');
  /** Everything that members and replies were told, in order. */
  readonly told: string[] = [];
  readonly batches: (readonly [rows: number, outcome: BatchOutcome])[] = [];
  readonly faults: string[] = [];
  readonly commits: GroupCommit;

  constructor(rowsMax = 100) {
    const observer: RuntimeObserver = {
      ...silentObserver,
      onBatch: (rows, _durationMs, outcome) => this.batches.push([rows, outcome]),
      onFault: (fault) => this.faults.push(fault),
    };
    const { store, ownership, clock } = this;
    this.commits = new GroupCommit({ store, ownership, clock, observer, rowsMax });
  }

  /** A member in a shard that is ours. */
  async member(scheduleId: number, shardId: number): Promise<NotedMember> {
    const shard = shardId as ShardId;
    if (this.ownership.standing(shard) !== 'owned') await this.ownership.claim([shard]);
    return new NotedMember(this, scheduleId as ScheduleId, shard);
  }

  reply(name: string): Settle {
    return (result) => this.told.push(`${name} ${result}`);
  }

  /** Rows of the batches that were sent: `schedule/seq`. */
  get sentRows(): readonly (readonly string[])[] {
    return this.store.sent.map(({ rows }) => rows.map((row) => `${row.scheduleId}/${row.seq}`));
  }
}

/** An actor that decides nothing: it numbers its events and notes what it is told. */
export class NotedMember implements Member {
  readonly scheduleId: ScheduleId;
  readonly shardId: ShardId;
  newestBatch: Batch | undefined;
  readonly #stage: CommitStage;
  #seq = 0;

  constructor(stage: CommitStage, scheduleId: ScheduleId, shardId: ShardId) {
    this.#stage = stage;
    this.scheduleId = scheduleId;
    this.shardId = shardId;
  }

  /** Appends so many events as one command's. */
  append(name: string, count = 1): void {
    const events = Array.from({ length: count }, (): ScheduleEvent => {
      this.#seq += 1;
      return { type: 'cancelled', seq: this.#seq, atMs: 100, number: this.#seq as ReservationNumber };
    });
    this.#stage.commits.append(this, events, this.#stage.reply(name));
  }

  /** A refusal or a read: an answer that rests on what was decided before. */
  ask(name: string): void {
    this.#stage.commits.whenDurable(this, this.#stage.reply(name));
  }

  onDurable(seq: number): void {
    this.#stage.told.push(`${this.scheduleId} durable up to ${seq}`);
  }

  onLost(): void {
    this.#stage.told.push(`${this.scheduleId} lost`);
  }
}
