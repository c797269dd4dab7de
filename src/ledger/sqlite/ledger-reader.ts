import { workerData } from 'node:worker_threads';
import type { ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import type { EntryPage, EntryQuery, LedgerAudit } from '../../actors/runtime/ledger.ts';
import { openForReading } from '../../sqlite/database.ts';
import { AuditRows } from './audit-rows.ts';
import { type LedgerThreadData, ledgerFile } from './ledger-thread.ts';
import { PointsRows } from './points-rows.ts';

/** The procedures of the thread that reads ledger.db; the pool calls them by name. */
const { directory } = workerData as LedgerThreadData;
let opened: { readonly points: PointsRows; readonly audits: AuditRows } | undefined;

export const balanceOf = (userId: UserId): number => rows().points.balanceOf(userId);

export const listEntries = (query: EntryQuery): EntryPage => rows().points.listEntries(query);

export const auditSchedule = (scheduleId: ScheduleId): LedgerAudit => rows().audits.auditSchedule(scheduleId);

/** For ThreadPool. */
export function wake(): void {}

function rows(): NonNullable<typeof opened> {
  if (opened === undefined) {
    const db = openForReading(directory, ledgerFile);
    opened = { points: new PointsRows(db), audits: new AuditRows(db) };
  }
  return opened;
}
