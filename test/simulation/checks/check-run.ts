import type { Violation } from '../violation.ts';
import { saleOf } from '../world.ts';
import { checkCall } from './answer-checks.ts';
import { checkAtMostOnce } from './at-most-once-checks.ts';
import type { Evidence } from './evidence.ts';
import { checkJournal, checkMarks } from './journal-checks.ts';
import { checkMoney } from './money-checks.ts';
import { checkOwnership } from './ownership-checks.ts';
import { checkProjection } from './projection-checks.ts';

/** Every check of a finished run. Where a journal itself is broken, what rests on it is not judged. */
export function checkRun(evidence: Evidence): readonly Violation[] {
  const { world, calls, models, images, log, bank, cardCompany } = evidence;
  const violations: Violation[] = [...checkOwnership(log), ...checkMoney(world, models, bank, cardCompany)];
  for (const [scheduleId, model] of models) {
    const landedAtMs = new Map<number, number>();
    for (const entry of log) {
      if (entry.kind !== 'batch') continue;
      for (const row of entry.rows) {
        if (row.scheduleId === scheduleId) landedAtMs.set(row.seq, entry.latestWallMs);
      }
    }
    const own = [
      ...checkJournal(world, saleOf(world, scheduleId), model),
      ...checkMarks(scheduleId, model, (seq) => landedAtMs.get(seq) ?? 0),
    ];
    violations.push(...own);
    if (own.some(({ invariant }) => invariant === 'I6' || invariant === 'I1')) continue;
    const image = images.get(scheduleId);
    if (image !== undefined) violations.push(...checkProjection(scheduleId, model, image));
    violations.push(...checkAtMostOnce(world, scheduleId, model, calls));
    for (const call of calls) {
      if (call.request.scheduleId === scheduleId) violations.push(...checkCall(world, model, call));
    }
  }
  return violations;
}
