import type { CommitFate, FailingCall } from '../operation.ts';

/** A commit whose answer is lost, and what the database makes of it all the same. */
export interface LostAnswer {
  readonly fate: CommitFate;
  /** Turns that it is still on its way, where it lands later. */
  readonly delayTurns: number;
}

/** The faults that the script has asked for and that no call has met yet. */
export class FaultPlan {
  readonly #failures = new Map<FailingCall, number>();
  readonly #lostAnswers: LostAnswer[] = [];

  failNext(call: FailingCall, count: number): void {
    this.#failures.set(call, (this.#failures.get(call) ?? 0) + count);
  }

  loseNext(lost: LostAnswer): void {
    this.#lostAnswers.push(lost);
  }

  /** Whether the call that is about to reach the database fails. */
  takeFailure(call: FailingCall): boolean {
    const planned = ([call, 'any'] as const).find((kind) => (this.#failures.get(kind) ?? 0) > 0);
    if (planned === undefined) return false;
    this.#failures.set(planned, (this.#failures.get(planned) ?? 0) - 1);
    return true;
  }

  takeLostAnswer(): LostAnswer | undefined {
    return this.#lostAnswers.shift();
  }

  clear(): void {
    this.#failures.clear();
    this.#lostAnswers.length = 0;
  }
}
