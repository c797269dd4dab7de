import type { Intent } from '../../../src/actors/allocator/command.ts';
import type { JournalModel, ModelMark } from '../model/journal-model.ts';
import { dayMs } from '../world.ts';
import type { Moment } from './refusal-rules.ts';

/** I8, at one durable moment: what the key of a request, if it has one, allows for an answer. */
export interface KeyRule {
  /** The command may be decided: no success is remembered for its key. */
  readonly mayBeDecided: boolean;
  /** The key may be refused: a success of another body is remembered. */
  readonly mayBeReused: boolean;
}

export function keyRule(model: JournalModel, length: number, intent: Intent, moment: Moment): KeyRule {
  const mark = markOf(model, length, intent);
  if (mark === undefined) return { mayBeDecided: true, mayBeReused: false };
  const isSameBody = mark.event.idempotency?.fingerprint === fingerprintOf(intent);
  return { mayBeDecided: mayBeForgotten(mark, moment), mayBeReused: !isSameBody };
}

/** The first success of the request's key, if any is in the first `length` rows. */
export function markOf(model: JournalModel, length: number, intent: Intent): ModelMark | undefined {
  if (!('idempotency' in intent) || intent.idempotency === undefined) return undefined;
  return model.mark(length, intent.userId, intent.idempotency.key);
}

const fingerprintOf = (intent: Intent): number | undefined =>
  'idempotency' in intent ? intent.idempotency?.fingerprint : undefined;

const mayBeForgotten = (mark: ModelMark, { latestWallMs }: Moment): boolean =>
  mark.event.atMs + dayMs <= latestWallMs;
