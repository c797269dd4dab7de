import { describe, expect, it } from 'vitest';
import type { ScheduleId, UserId } from '../../../../src/actors/allocator/ids.ts';
import type { ReservationQuery } from '../../../../src/actors/runtime/ports.ts';
import { listSql } from '../../../../src/persistence/sqlite/reservation-rows.ts';
import { TestDatabase } from './test-database.ts';

const userId = 'ann' as UserId;
const after = { heldAtMs: 1, scheduleId: 1 as ScheduleId, number: 1 as never };

const queries: readonly (readonly [string, ReservationQuery])[] = [
  ['first page', { userId, limit: 10 }],
  ['next page', { userId, limit: 10, after }],
  ['with a status', { userId, limit: 10, status: 'PAID', after }],
  ['of a schedule', { userId, limit: 10, scheduleId: 1 as ScheduleId, after }],
];

describe('a page of reservations', () => {
  it.each(queries)(
    '%s: walks the index by user from where the page begins, and sorts nothing',
    (_name, query) => {
      const { db } = new TestDatabase();
      const { sql, parameters } = listSql(query);
      const plan = db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...parameters)
        .map(({ detail }) => String(detail));
      const range = query.after === undefined ? '' : ' AND (held_at_ms,schedule_id,number)<(?,?,?)';
      expect(plan).toEqual([`SEARCH reservation USING INDEX reservation_by_user (user_id=?${range})`]);
    },
  );
});
