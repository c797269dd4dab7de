import { describe, expect, test } from 'vitest';
import type { ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import { auditSchedule } from '../../../../src/actors/runtime/audit.ts';
import { encodeEvent } from '../../../../src/actors/runtime/event-codec.ts';
import type { AuditedPayment, LedgerAudit } from '../../../../src/actors/runtime/ledger.ts';
import type { JournalRow, StoredSchedule } from '../../../../src/actors/runtime/ports.ts';
import {
  approved,
  block,
  cancel,
  declined,
  expire,
  hold,
  mark,
  pay,
  ScheduleScript,
  settle,
} from '../allocator/schedule-script.ts';
import { mapOf } from '../hall-drawing.ts';
import { emptyImage } from './scripted-store.ts';

const scripted = (): ScheduleScript =>
  new ScheduleScript(mapOf('pppp')).given([
    hold(100, 'ann', ['A1'], mark('k')),
    hold(110, 'bob', ['A2']),
    cancel(120, 'ann', 1),
    block(130, ['A4']),
  ]);

const storedOf = (script: ScheduleScript): StoredSchedule => ({
  image: emptyImage,
  tail: script.events.map(
    (event): JournalRow => ({
      scheduleId: 7 as ScheduleId,
      shardId: 1 as ShardId,
      seq: event.seq,
      atMs: event.atMs,
      type: event.type,
      payload: encodeEvent(event),
    }),
  ),
});

const noMoney: LedgerAudit = { payments: [], accountFaults: [], accountsChecked: 0 };

/** Invariants of the checks that failed. */
const failed = (
  script: ScheduleScript,
  stored: StoredSchedule,
  ledger: LedgerAudit = noMoney,
): readonly string[] =>
  auditSchedule(script.state, stored, ledger)
    .filter(({ ok }) => !ok)
    .map(({ invariant }) => invariant);

test('memory and store agree: every check passes and says what it found', () => {
  const script = scripted();
  const checks = auditSchedule(script.state, storedOf(script), noMoney);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(new Set(checks.map(({ invariant }) => invariant))).toEqual(
    new Set(['I1', 'I4', 'I5', 'I6', 'I8', 'I11']),
  );
  expect(checks.at(-1)?.detail).toContain('2 free + 1 held + 0 paying + 0 paid + 1 blocked = 4');
});

interface Plant {
  readonly name: string;
  readonly plant: (script: ScheduleScript, stored: StoredSchedule) => StoredSchedule;
  readonly failed: readonly string[];
}

const without = (stored: StoredSchedule, seq: number): StoredSchedule => ({
  ...stored,
  tail: stored.tail.filter((row) => row.seq !== seq),
});

const plants: readonly Plant[] = [
  { name: 'a gap in the journal', plant: (_, stored) => without(stored, 2), failed: ['I6'] },
  {
    name: 'an event that is in memory only',
    plant: (_, stored) => without(stored, 4),
    failed: ['I6', 'I11'],
  },
  {
    name: 'a journal that can’t be replayed',
    plant: (_, stored) => ({
      ...stored,
      tail: stored.tail.map((row) =>
        row.seq === 2 ? { ...row, payload: '{"number":2,"userId":"bob","seats":[0]}' } : row,
      ),
    }),
    failed: ['I11'],
  },
  {
    name: 'a request that memory has forgotten',
    plant: (script, stored) => {
      script.state.idempotency.forgetBefore(Number.MAX_SAFE_INTEGER);
      return stored;
    },
    failed: ['I8'],
  },
  {
    name: 'another holder in memory',
    plant: (script, stored) => {
      script.state.holders.set([9], 1);
      return stored;
    },
    failed: ['I1', 'I11'],
  },
  {
    name: 'another bitmap in memory',
    plant: (script, stored) => {
      script.state.free.take([2]);
      return stored;
    },
    failed: ['I11', 'I11'],
  },
  {
    name: 'another status in memory',
    plant: (script, stored) => {
      for (const reservation of script.state.reservations.values()) {
        if (reservation.number === 1) reservation.status = 'EXPIRED';
      }
      return stored;
    },
    failed: ['I11'],
  },
];

describe('a planted difference is found', () => {
  test.each(plants)('$name', ({ plant, failed: expected }) => {
    const script = scripted();
    const stored = plant(script, storedOf(script));
    expect(failed(script, stored)).toEqual(expected);
  });
});

describe('money beside the seats', () => {
  /**
   * Cid paid for 1 under seq 2, too slowly. Ann has paid for 2, under seq 6. Dot was declined for 4, under
   * seq 8. Bob pays for 3 under seq 11.
   */
  const sold = (): ScheduleScript =>
    new ScheduleScript(mapOf('pppp', 'pppp'), { holdTtlMs: 120_000 }).given([
      hold(100, 'cid', ['A4']),
      pay(110, 'cid', 1),
      hold(1_000, 'ann', ['A1', 'A2']),
      hold(1_000, 'bob', ['A3']),
      hold(1_000, 'dot', ['B1']),
      pay(1_010, 'ann', 2),
      settle(1_015, 2, 6, approved),
      pay(1_020, 'dot', 4),
      settle(1_030, 4, 8, declined),
      expire(120_110),
      pay(120_150, 'bob', 3),
    ]);

  const payment = (
    number: number,
    seq: number,
    userId: string,
    amountMinor: number,
    status: AuditedPayment['status'] = 'APPROVED',
  ): AuditedPayment =>
    ({ paymentId: `7-${number}-${seq}`, number, userId, amountMinor, status }) as AuditedPayment;
  const anns = payment(2, 6, 'ann', 2_000);
  const bobs = payment(3, 11, 'bob', 1_000);
  const cids = payment(1, 2, 'cid', 1_000);

  const audited = (...payments: readonly AuditedPayment[]): readonly string[] => {
    const script = sold();
    return failed(script, storedOf(script), { ...noMoney, payments });
  };

  const sound: readonly (readonly [string, readonly AuditedPayment[]])[] = [
    ['what is paid has its payment', [anns]],
    ['what is open may be approved, and the actor not know of it yet', [anns, bobs, cids]],
    ['what is open may be pending', [anns, { ...bobs, status: 'PENDING' }]],
    ['what is open may be given back', [anns, { ...cids, status: 'REFUNDED' }]],
    ['what was given back is nothing', [anns, payment(9, 99, 'eve', 5, 'REFUNDED')]],
  ];
  test.each(sound)('passes: %s', (_name, payments) => {
    expect(audited(...payments)).toEqual([]);
  });

  const broken: readonly (readonly [string, readonly AuditedPayment[]])[] = [
    ['a paid reservation without a payment', []],
    ['a paid reservation whose payment is not approved', [{ ...anns, status: 'PENDING' }]],
    ['a paid reservation whose money was given back', [{ ...anns, status: 'REFUNDED' }]],
    ['a paid reservation with a payment of another amount', [{ ...anns, amountMinor: 1_999 }]],
    ["a paid reservation with somebody else's payment", [payment(2, 6, 'bob', 2_000)]],
    ['a payment that names another reservation', [{ ...anns, number: bobs.number }]],
    ['a second approved payment of a paid reservation', [anns, payment(2, 4, 'ann', 2_000)]],
    ['an approved payment that failed at the actor', [anns, payment(4, 8, 'dot', 1_000)]],
    ['a pending payment that failed at the actor', [anns, payment(4, 8, 'dot', 1_000, 'PENDING')]],
    ['an approved payment of what nobody knows', [anns, payment(9, 99, 'eve', 5)]],
  ];
  test.each(broken)('I5: %s is found', (_name, payments) => {
    expect(audited(...payments)).toEqual(['I5']);
  });

  test('I4: accounts that do not add up are told as the ledger tells them', () => {
    const script = sold();
    const ledger = { payments: [anns], accountFaults: ['ann has 5, her entries make 6'], accountsChecked: 1 };
    expect(auditSchedule(script.state, storedOf(script), ledger).filter(({ ok }) => !ok)).toEqual([
      { invariant: 'I4', ok: false, detail: 'ann has 5, her entries make 6' },
    ]);
  });

  test('a payment that memory has and the store has not is found', () => {
    const script = sold();
    const stored = storedOf(script);
    const withoutPayment = { ...stored, tail: stored.tail.slice(0, -1) };
    expect(failed(script, withoutPayment, { ...noMoney, payments: [anns] })).toEqual(['I6', 'I11']);
  });
});

test('a long list of faults is cut', () => {
  const script = new ScheduleScript(mapOf('p'.repeat(40)));
  for (let seat = 0; seat < 40; seat++) script.state.holders[seat] = 5;
  const longest = Math.max(
    ...auditSchedule(script.state, storedOf(script), noMoney).map(({ detail }) => detail.split(';').length),
  );
  expect(longest).toBe(10);
});
