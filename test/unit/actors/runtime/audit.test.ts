import { describe, expect, test } from 'vitest';
import type { ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import { auditSchedule } from '../../../../src/actors/runtime/audit.ts';
import { encodeEvent } from '../../../../src/actors/runtime/event-codec.ts';
import type { JournalRow, StoredSchedule } from '../../../../src/actors/runtime/ports.ts';
import { block, cancel, hold, mark, ScheduleScript } from '../allocator/schedule-script.ts';
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

/** Invariants of the checks that failed. */
const failed = (script: ScheduleScript, stored: StoredSchedule): readonly string[] =>
  auditSchedule(script.state, stored)
    .filter(({ ok }) => !ok)
    .map(({ invariant }) => invariant);

test('memory and store agree: every check passes and says what it found', () => {
  const script = scripted();
  const checks = auditSchedule(script.state, storedOf(script));
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(new Set(checks.map(({ invariant }) => invariant))).toEqual(new Set(['I1', 'I6', 'I8', 'I11']));
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

test('a long list of faults is cut', () => {
  const script = new ScheduleScript(mapOf('p'.repeat(40)));
  for (let seat = 0; seat < 40; seat++) script.state.holders[seat] = 5;
  const longest = Math.max(
    ...auditSchedule(script.state, storedOf(script)).map(({ detail }) => detail.split(';').length),
  );
  expect(longest).toBe(10);
});
