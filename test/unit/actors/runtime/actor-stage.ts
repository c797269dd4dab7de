import type { Intent, SettlePaymentCommand } from '../../../../src/actors/allocator/command.ts';
import type { IdempotencyMark } from '../../../../src/actors/allocator/event.ts';
import type { ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import type { PaymentMethod } from '../../../../src/actors/allocator/payment.ts';
import type { ScheduleTerms } from '../../../../src/actors/allocator/state.ts';
import { Actor, type ActorContext } from '../../../../src/actors/runtime/actor.ts';
import type { BegunPayment } from '../../../../src/actors/runtime/begun-payment.ts';
import { GroupCommit } from '../../../../src/actors/runtime/group-commit.ts';
import type { Outcome, UnavailableCode } from '../../../../src/actors/runtime/outcome.ts';
import { Ownership } from '../../../../src/actors/runtime/ownership.ts';
import { type RuntimeObserver, silentObserver } from '../../../../src/actors/runtime/runtime-observer.ts';
import { reservationNumber, termsOf, user } from '../allocator/schedule-script.ts';
import { mapOf } from '../hall-drawing.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedStore } from './scripted-store.ts';

/** A1 A2 A3 A4. Holds last 5 s, payments 20 s. */
const map = mapOf('pppp');

/** One actor on a manual clock and a scripted store, and everything it says. */
export class ActorStage {
  readonly store = new ScriptedStore();
  readonly clock = new ManualClock();
  readonly ownership: Ownership;
  readonly decisions: string[] = [];
  readonly faults: string[] = [];
  readonly published: number[] = [];
  readonly steps: string[] = [];
  /** Payments that it found open when it recovered. */
  readonly resumed: BegunPayment[] = [];
  paymentRefusal: UnavailableCode | undefined;
  terms: ScheduleTerms;
  readonly commits: GroupCommit;
  readonly actor: Actor;

  private constructor(mailboxMax: number, trustMs: number | undefined) {
    const { store, clock } = this;
    this.ownership = new Ownership(store, 'node-1', trustMs === undefined ? undefined : { clock, trustMs });
    const { ownership } = this;
    this.terms = termsOf(map, { holdTtlMs: 5_000, holdTotalMaxMs: 15_000, paymentMaxMs: 20_000 });
    const observer: RuntimeObserver = {
      ...silentObserver,
      onExpired: (holds) => this.decisions.push(`expired ${holds}`),
      onDecision: (kind, code) => this.decisions.push(`${kind} ${code}`),
      onRecovery: (_scheduleId, _durationMs, liveSeats) =>
        this.decisions.push(`recovered ${liveSeats} seats`),
      onPaymentStep: (step, paymentId) => this.steps.push(`${step} ${paymentId}`),
      onFault: (fault, error) => this.faults.push(`${fault}: ${error}`),
    };
    this.commits = new GroupCommit({ store, ownership, clock, observer, rowsMax: 100 });
    const context: ActorContext = {
      clock,
      commits: this.commits,
      ownership,
      observer,
      mailboxMax,
      terms: async () => this.terms,
      load: (scheduleId) => store.loadSchedule(scheduleId),
      loadTail: (scheduleId, afterSeq) => store.loadTail(scheduleId, afterSeq),
      resumePayment: (begun) => this.resumed.push(begun),
      refusePayment: () => this.paymentRefusal,
      publishAvailable: (_scheduleId, available) => this.published.push(available),
    };
    this.actor = new Actor(7 as ScheduleId, shard, context);
  }

  /** Asleep, in a shard that is ours. */
  static async asleep(mailboxMax = 100, trustMs?: number): Promise<ActorStage> {
    const stage = new ActorStage(mailboxMax, trustMs);
    await stage.ownership.claim([shard]);
    if (trustMs !== undefined) await stage.ownership.confirm();
    return stage;
  }

  /** @param trustMs as Trust in ownership.ts: of a node in a cluster. */
  static async awake(mailboxMax = 100, trustMs?: number): Promise<ActorStage> {
    const stage = await ActorStage.asleep(mailboxMax, trustMs);
    stage.actor.wake();
    await stage.clock.settle();
    stage.decisions.length = 0;
    return stage;
  }

  submit(intent: Intent): Answer {
    const answer = new Answer();
    this.actor.submit(intent, (outcome) => answer.take(outcome));
    return answer;
  }

  read(number: number, name: string): Answer {
    const answer = new Answer();
    this.actor.readReservation(reservationNumber(number), user(name), (outcome) => answer.take(outcome));
    return answer;
  }

  /** seq and type of what is on disk. */
  get journal(): readonly string[] {
    return (this.store.journal.get(this.actor.scheduleId) ?? []).map((row) => `${row.seq} ${row.type}`);
  }
}

/** What a caller was told: nothing yet, or one outcome. */
export class Answer {
  #outcome: Outcome | undefined;
  #isTaken = false;

  take(outcome: Outcome | undefined): void {
    if (this.#isTaken) throw new Error('a reply runs once');
    this.#isTaken = true;
    this.#outcome = outcome;
  }

  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** `waiting`, `nothing`, or the outcome in a word: HELD 1, seats-taken, store-unavailable … */
  get said(): string {
    if (!this.#isTaken) return 'waiting';
    const outcome = this.#outcome;
    if (outcome === undefined) return 'nothing';
    if (outcome.kind === 'reservation') {
      return `${outcome.view.status} ${outcome.view.number}${outcome.replayed ? ' replayed' : ''}`;
    }
    if (outcome.kind === 'rejected') return outcome.rejection.code;
    return outcome.kind === 'unavailable' ? outcome.code : outcome.kind;
  }
}

export const shard = 3 as ShardId;

export const holdIntent = (
  name: string,
  seatIds: readonly string[],
  idempotency?: IdempotencyMark,
): Intent => ({
  kind: 'hold',
  userId: user(name),
  seatIds,
  ...(idempotency === undefined ? undefined : { idempotency }),
});

export const cancelIntent = (name: string, number: number): Intent => ({
  kind: 'cancel',
  userId: user(name),
  number: reservationNumber(number),
});

export const payIntent = (
  name: string,
  number: number,
  idempotency?: IdempotencyMark,
  method: PaymentMethod = 'points',
): Intent => ({
  kind: 'pay',
  userId: user(name),
  number: reservationNumber(number),
  method,
  ...(idempotency === undefined ? undefined : { idempotency }),
});

export const settleIntent = (
  number: number,
  paymentSeq: number,
  result: SettlePaymentCommand['result'],
): Intent => ({ kind: 'settle-payment', number: reservationNumber(number), paymentSeq, result });

export const extendIntent = (name: string, number: number, idempotency?: IdempotencyMark): Intent => ({
  kind: 'extend',
  userId: user(name),
  number: reservationNumber(number),
  ...(idempotency === undefined ? undefined : { idempotency }),
});
