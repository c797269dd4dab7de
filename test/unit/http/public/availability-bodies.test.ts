import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import { AvailabilityView } from '../../../../src/actors/runtime/availability-view.ts';
import {
  AvailabilityBodies,
  type Representation,
  type SeqBody,
} from '../../../../src/http/public/availability-bodies.ts';
import { map } from '../theatre.ts';

const scheduleId = 1 as ScheduleId;
const freshView = () => new AvailabilityView(map, 0, () => true);
const take = (view: AvailabilityView, ...taken: number[]) =>
  view.apply({ seq: view.seq + 1, taken, freed: [] });
const gzipped = (representation: Representation) =>
  new Promise<SeqBody>((resolve) => representation.gzipped(resolve));
const seqInside = (body: SeqBody) => JSON.parse(gunzipSync(body.bytes).toString()).seq;

describe('a plain body', () => {
  test('is made once a seq', () => {
    const view = freshView();
    const { json } = new AvailabilityBodies().of(scheduleId, view);
    const first = json.plain();
    expect(json.plain()).toBe(first);
    take(view, 0);
    expect(json.plain()).not.toBe(first);
    expect(json.plain().seq).toBe(1);
  });

  test('tells what is free, bit i = seat i', () => {
    const view = freshView();
    take(view, 1, 2, 7);
    const { json, bitmap } = new AvailabilityBodies().of(scheduleId, view);
    expect(JSON.parse(Buffer.from(json.plain().bytes).toString())).toEqual({
      scheduleId: 1,
      seq: 1,
      capacity: 8,
      available: 5,
      seatIds: ['A-1', 'A-4', 'Ä-1', 'Ä-2', 'Ä-3'],
    });
    expect([...bitmap.plain().bytes]).toEqual([0b0111_1001]);
  });

  test('is another one when the schedule has woken up anew', () => {
    const bodies = new AvailabilityBodies();
    const before = bodies.of(scheduleId, freshView());
    const view = freshView();
    expect(bodies.of(scheduleId, view)).not.toBe(before);
    expect(bodies.of(scheduleId, view)).toBe(bodies.of(scheduleId, view));
  });
});

describe('a compressed body', () => {
  test('is made once for all who ask for the same seq', async () => {
    const { json } = new AvailabilityBodies().of(scheduleId, freshView());
    const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => gzipped(json)));
    expect(new Set(others)).toEqual(new Set([first]));
    expect(await gzipped(json)).toBe(first);
  });

  test('is shared by all who come while an older one is being made, and never older than they', async () => {
    const view = freshView();
    const { json } = new AvailabilityBodies().of(scheduleId, view);
    const early = gzipped(json);
    take(view, 0);
    const second = gzipped(json);
    take(view, 1);
    const third = gzipped(json);
    take(view, 2);

    expect((await early).seq).toBe(0);
    const [a, b] = await Promise.all([second, third]);
    expect(a).toBe(b);
    expect(a.seq).toBeGreaterThanOrEqual(2);
    expect(seqInside(a)).toBe(a.seq);
  });

  test('is not older than asked for, whatever the order of seats sold and askers', async () => {
    const view = new AvailabilityView(map, 0, () => true);
    const { json } = new AvailabilityBodies().of(scheduleId, view);
    const asked: { readonly atSeq: number; readonly body: Promise<SeqBody> }[] = [];
    for (let round = 0; round < 60; round++) {
      asked.push({ atSeq: view.seq, body: gzipped(json) });
      const seat = round % 8;
      if (view.isFree(seat)) take(view, seat);
      else view.apply({ seq: view.seq + 1, taken: [], freed: [seat] });
      if (round % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (const { atSeq, body } of asked) {
      const got = await body;
      expect(got.seq).toBeGreaterThanOrEqual(atSeq);
      expect(seqInside(got)).toBe(got.seq);
    }
  });
});
