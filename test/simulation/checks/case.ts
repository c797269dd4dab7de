import type { Answered, Call } from '../history.ts';
import type { JournalModel } from '../model/journal-model.ts';
import type { Invariant } from '../violation.ts';
import type { Sale, World } from '../world.ts';
import type { Moment } from './refusal-rules.ts';

/** A call that was answered, with all that its answer can be measured against. */
export interface Case {
  readonly world: World;
  readonly sale: Sale;
  readonly model: JournalModel;
  readonly call: Call;
  readonly answered: Answered;
  blame(invariant: Invariant, message: string): void;
}

/** What an answer breaks that is older than what somebody has seen: with several nodes, another of them showed it. */
export const staleBreaks = ({ world }: Case): Invariant => (world.cluster === undefined ? 'I9' : 'I12');

/** The durable moments, oldest first, that an answer may rest on: nothing older than what was already seen. */
export function moments(given: Case): readonly { readonly length: number; readonly moment: Moment }[] {
  const { call, answered } = given;
  const first = Math.min(call.seenSeq, answered.durableRows);
  return Array.from({ length: answered.durableRows - first + 1 }, (_, index) => ({
    length: first + index,
    moment: momentAt(given, first + index),
  }));
}

export const lastMoment = (given: Case): Moment => momentAt(given, given.answered.durableRows);

const momentAt = ({ world, model, call, answered }: Case, length: number): Moment => ({
  state: model.at(length),
  earliestMs: call.wallMinMs,
  latestWallMs: answered.latestWallMs,
  holdTotalMaxMs: world.limits.holdTotalMaxMs,
  paymentMaxMs: world.limits.paymentMaxMs,
});
