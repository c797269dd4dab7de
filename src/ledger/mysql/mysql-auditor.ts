import type { PaymentId, ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import { type LedgerAudit, type LedgerAuditor, LedgerUnavailable } from '../../actors/runtime/ledger.ts';
import type { Clock } from '../../actors/runtime/ports.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import {
  type EntryAuditRow,
  type PaymentAuditRow,
  paymentAuditColumns,
  ScheduleAudit,
} from '../schedule-audit.ts';
import type { ReadPool } from './read-pool.ts';

interface MySqlAuditorOptions {
  readonly primary: Pick<ReadPool, 'use'>;
  /** From the first row on: the view that an audit reads from keeps the server from clearing up. */
  readonly auditLimitMs: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** In parts, so that neither the server nor this thread is held by one of them for long. */
export const paymentsQuery = `SELECT ${paymentAuditColumns} FROM payment FORCE INDEX (by_schedule)
  WHERE schedule_id = ? AND payment_id > ? ORDER BY payment_id LIMIT ?`;
export const balancesQuery =
  'SELECT user_id, balance FROM point_account FORCE INDEX (PRIMARY) WHERE user_id IN (?)';
export const entriesQuery = `SELECT entry.user_id, entry.entry_id, entry.kind, entry.amount, entry.balance_after,
    entry.payment_id, payment.user_id, payment.method, payment.status, payment.amount_minor
  FROM point_entry AS entry FORCE INDEX (by_user)
    LEFT JOIN payment ON payment.payment_id = entry.payment_id
  WHERE entry.user_id IN (?) ORDER BY entry.user_id, entry.entry_id`;

const paymentsAtOnce = 1000;
const accountsAtOnce = 100;

/** The audit of a schedule, on the primary, from one view of accounts and payments while payments go on. */
export class MySqlAuditor implements LedgerAuditor {
  readonly #options: MySqlAuditorOptions;

  constructor(options: MySqlAuditorOptions) {
    this.#options = options;
  }

  auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit> {
    return this.#options.primary.use(async (session) => {
      await session.change('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      await session.change('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
      try {
        return await this.#audit(session, scheduleId);
      } finally {
        await session.rollback();
      }
    });
  }

  async #audit(session: MySqlSession, scheduleId: ScheduleId): Promise<LedgerAudit> {
    const { clock, auditLimitMs } = this.#options;
    const endMs = clock.monotonicMs() + auditLimitMs;
    const expectTime = () => {
      if (clock.monotonicMs() > endMs) throw new LedgerUnavailable(`no audit within ${auditLimitMs} ms`);
    };
    const audit = new ScheduleAudit();
    let after = '' as PaymentId;
    for (let isMore = true; isMore; ) {
      expectTime();
      const rows = await session.rows<PaymentAuditRow>(paymentsQuery, [scheduleId, after, paymentsAtOnce]);
      for (const row of rows) audit.addPayment(row);
      after = rows.at(-1)?.[0] ?? after;
      isMore = rows.length === paymentsAtOnce;
    }
    const payers = audit.payers();
    for (let first = 0; first < payers.length; first += accountsAtOnce) {
      expectTime();
      await checkAccounts(session, audit, payers.slice(first, first + accountsAtOnce));
    }
    return audit.result();
  }
}

async function checkAccounts(
  session: MySqlSession,
  audit: ScheduleAudit,
  users: readonly UserId[],
): Promise<void> {
  const balances = new Map(await session.rows<[UserId, number]>(balancesQuery, [users]));
  const entries = new Map<UserId, EntryAuditRow[]>();
  for (const [userId, ...entry] of await session.rows<[UserId, ...EntryAuditRow]>(entriesQuery, [users])) {
    const own = entries.get(userId);
    if (own === undefined) entries.set(userId, [entry]);
    else own.push(entry);
  }
  for (const userId of users) {
    audit.checkAccount(userId, balances.get(userId) ?? 0, entries.get(userId) ?? []);
  }
}
