import type { Intent } from '../../src/actors/allocator/command.ts';
import type { ReservationRef, ScheduleId, UserId } from '../../src/actors/allocator/ids.ts';
import type { AuditCheck, Outcome, ScheduleCounts } from '../../src/actors/runtime/outcome.ts';
import type { PaymentRequest } from '../../src/actors/runtime/payment-request.ts';
import type { Owner } from './scheduler.ts';

/** What a client asked for. Kept, so that it can be sent again word for word. */
export type Request =
  | { readonly kind: 'submit'; readonly scheduleId: ScheduleId; readonly intent: Intent }
  | { readonly kind: 'pay'; readonly scheduleId: ScheduleId; readonly payment: PaymentRequest }
  | {
      readonly kind: 'read';
      readonly scheduleId: ScheduleId;
      readonly ref: ReservationRef;
      readonly userId: UserId;
    }
  | { readonly kind: 'availability' | 'count' | 'audit'; readonly scheduleId: ScheduleId };

/** What a client was told; copied at that moment, since a view goes on changing. */
export type Answer =
  | Outcome
  | {
      readonly kind: 'availability';
      readonly seq: number;
      readonly available: number;
      readonly isFree: readonly boolean[];
      readonly seatIds: readonly string[];
      /** The number that the list of dates shows at the same moment. */
      readonly listed: number;
    }
  | { readonly kind: 'counts'; readonly counts: ScheduleCounts }
  | { readonly kind: 'audit'; readonly checks: readonly AuditCheck[] };

/** One question to one node, and everything that is known about its answer. */
export interface Call {
  readonly operationId: number;
  readonly node: Owner;
  readonly request: Request;
  /** The newest seq of the schedule that any client had seen when this was asked: answers may not be older. */
  readonly seenSeq: number;
  /** Rows of the schedule that were projected then. */
  readonly projectedRows: number;
  /** How often the same request had been sent for this operation, this time included. */
  readonly tries: number;
  /** Of the node, as Front has it. */
  readonly choice: number;
  /** The earliest time that a wall clock showed while the call was open. */
  wallMinMs: number;
  /** Some fault had been injected, now or before, so a node may say that it can't answer. */
  mayBeRefused: boolean;
  /** The node died first. */
  isLost: boolean;
  answers: number;
  answer: Answered | undefined;
}

export interface Answered {
  readonly content: Answer;
  /** Rows of the schedule that were in the journal at that moment. */
  readonly durableRows: number;
  /** The latest time that the wall clock had ever shown. */
  readonly latestWallMs: number;
  /** The node still owned the schedule's shard, whatever it believed. */
  readonly isOwner: boolean;
}

/** Everything that clients asked and were told, in the order of asking. */
export class History {
  readonly calls: Call[] = [];
  #hasFaulted = false;
  readonly #open = new Set<Call>();
  readonly #seenSeq = new Map<ScheduleId, number>();

  open(call: Omit<Call, 'seenSeq' | 'mayBeRefused' | 'isLost' | 'answers' | 'answer'>): Call {
    const seenSeq = this.#seenSeq.get(call.request.scheduleId) ?? 0;
    const opened: Call = {
      ...call,
      seenSeq,
      mayBeRefused: this.#hasFaulted,
      isLost: false,
      answers: 0,
      answer: undefined,
    };
    this.calls.push(opened);
    this.#open.add(opened);
    return opened;
  }

  answer(call: Call, answer: Answered): void {
    call.answers += 1;
    if (call.answers > 1) return;
    call.answer = answer;
    this.#open.delete(call);
  }

  /** A client has been shown this much of the schedule; whoever asks from now on may not be shown less. */
  noteSeen(scheduleId: ScheduleId, seq: number): void {
    this.#seenSeq.set(scheduleId, Math.max(seq, this.#seenSeq.get(scheduleId) ?? 0));
  }

  noteWall(wallMs: number): void {
    for (const call of this.#open) call.wallMinMs = Math.min(call.wallMinMs, wallMs);
  }

  get hasFaulted(): boolean {
    return this.#hasFaulted;
  }

  noteFault(): void {
    this.#hasFaulted = true;
    for (const call of this.#open) call.mayBeRefused = true;
  }

  openCallsOf(node: Owner): readonly Call[] {
    return [...this.#open].filter((call) => call.node === node);
  }

  /** The node is gone: nobody waits for it any more. @returns the calls that were open there. */
  lose(node: Owner): readonly Call[] {
    const lost = this.openCallsOf(node);
    for (const call of lost) {
      call.isLost = true;
      this.#open.delete(call);
    }
    return lost;
  }
}

/** The seq that an answer shows its schedule to be at, at least; 0 when it shows none. */
export function seqShownBy(answer: Answer): number {
  switch (answer.kind) {
    case 'reservation':
      return answer.view.seq;
    case 'blocks-changed':
    case 'availability':
      return answer.seq;
    case 'counts':
      return answer.counts.seq;
    case 'cancelled':
    case 'rejected':
    case 'unavailable':
    case 'audit':
    case 'payment-begun':
    case 'payment-joined':
      return 0;
  }
}
