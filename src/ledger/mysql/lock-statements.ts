import { sqlList } from '../../mysql/sql-values.ts';
import { paymentColumns } from '../payment-columns.ts';
import type { BatchKeys } from './batch-keys.ts';

/**
 * What locks and reads the rows of a batch, in its order. Each index is forced: a scan would lock, and so wait
 * for, every row that it passes. Under READ COMMITTED a row that is not there is not locked, and nothing beside it.
 */
interface LockStatements {
  readonly accounts: string;
  readonly payments: string | undefined;
  readonly marks: string | undefined;
  /**
   * Old marks of whomever, to be forgotten. It passes those by that others hold, so it never waits, and it comes
   * last: who has got so far waits for nobody's rows any more.
   */
  readonly oldMarks: string | undefined;
}

export function lockStatements(keys: BatchKeys): LockStatements {
  const { userIds, paymentIds, markNames, marksOfUseSinceMs, forgottenMarksMax } = keys;
  const mayForget = markNames.length > 0;
  return {
    accounts: `SELECT user_id, balance FROM point_account FORCE INDEX (PRIMARY)
      WHERE user_id IN ${sqlList(userIds)} ORDER BY user_id FOR UPDATE`,
    payments:
      paymentIds.length === 0
        ? undefined
        : `SELECT ${paymentColumns} FROM payment FORCE INDEX (PRIMARY)
      WHERE payment_id IN ${sqlList(paymentIds)} ORDER BY payment_id FOR UPDATE`,
    marks: mayForget
      ? `SELECT name, fingerprint, entry_id, balance_after, at_ms FROM charge_mark FORCE INDEX (PRIMARY)
      WHERE name IN ${sqlList(markNames)} ORDER BY name FOR UPDATE`
      : undefined,
    oldMarks: mayForget
      ? `SELECT name FROM charge_mark FORCE INDEX (by_time)
      WHERE at_ms < ${marksOfUseSinceMs} ORDER BY at_ms LIMIT ${forgottenMarksMax} FOR UPDATE SKIP LOCKED`
      : undefined,
  };
}
