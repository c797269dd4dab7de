import { describe, expect, test } from 'vitest';
import type { ReservationRef, ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import {
  fingerprintOfCharge,
  fingerprintOfExtend,
  fingerprintOfHold,
  fingerprintOfPayment,
} from '../../../../src/http/input/idempotency-fingerprint.ts';

const scheduleId = 1 as ScheduleId;
const extend = (schedule: number, number: number) =>
  fingerprintOfExtend({ scheduleId: schedule as ScheduleId, number: number as ReservationRef['number'] });

const pay = (schedule: number, number: number, cardToken?: string) =>
  fingerprintOfPayment({
    reservationId: { scheduleId: schedule as ScheduleId, number: number as ReservationRef['number'] },
    ...(cardToken === undefined ? { method: 'points' } : { method: 'card', cardToken }),
  });

describe('a fingerprint', () => {
  test('stays what it was: journals keep it', () => {
    expect(fingerprintOfHold({ scheduleId, seatIds: ['A-1-1', 'A-1-2'] })).toBe(7565095848136076);
    expect(fingerprintOfHold({ scheduleId, bestAvailable: { quantity: 2, adjacent: true } })).toBe(
      3334898821345582,
    );
    expect(extend(1, 3)).toBe(3870554685619708);
    expect(pay(1, 3)).toBe(7414275059555620);
    expect(pay(1, 3, 'tok_1')).toBe(5448179931183816);
    expect(fingerprintOfCharge(500)).toBe(1372417232211928);
  });

  test('is a 53-bit integer', () => {
    for (let i = 0; i < 1000; i++) {
      expect(Number.isSafeInteger(fingerprintOfHold({ scheduleId, seatIds: [`seat ${i}`] }))).toBe(true);
    }
  });

  test('tells requests apart that mean something else', () => {
    const best = { quantity: 2, adjacent: true };
    const fingerprints = [
      fingerprintOfHold({ scheduleId, seatIds: ['A', 'B'] }),
      fingerprintOfHold({ scheduleId, seatIds: ['B', 'A'] }),
      fingerprintOfHold({ scheduleId, seatIds: ['AB'] }),
      fingerprintOfHold({ scheduleId: 2 as ScheduleId, seatIds: ['A', 'B'] }),
      fingerprintOfHold({ scheduleId, bestAvailable: best }),
      fingerprintOfHold({ scheduleId, bestAvailable: { ...best, quantity: 3 } }),
      fingerprintOfHold({ scheduleId, bestAvailable: { ...best, adjacent: false } }),
      fingerprintOfHold({ scheduleId, bestAvailable: { ...best, category: 'A' } }),
      fingerprintOfHold({ scheduleId, bestAvailable: { ...best, section: 'A' } }),
      extend(1, 2),
      extend(1, 3),
      extend(12, 3),
      pay(1, 3),
      pay(1, 4),
      pay(2, 3),
      pay(1, 3, 'tok_1'),
      pay(1, 3, 'tok_2'),
      fingerprintOfCharge(3),
      fingerprintOfCharge(30),
    ];
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
  });
});
