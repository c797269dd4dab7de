import { describe, expect, it } from 'vitest';
import { venueId } from '../../../src/actors/allocator/ids.ts';
import { SeatMap } from '../../../src/actors/allocator/seat-map.ts';
import type { LayoutRow } from '../../../src/actors/allocator/venue-layout.ts';
import { faultsListedMax } from '../../../src/catalog/import-fault.ts';
import { importSeatingPlan } from '../../../src/catalog/seating-plan-import.ts';
import { imported, readPlan } from './imported.ts';
import { Random } from './random.ts';

const seeds = Array.from({ length: 200 }, (_, index) => index + 1);

interface Seat {
  readonly seat_guid: string;
  readonly seat_number: string;
  readonly position: { readonly x: number; readonly y: number };
}

interface Row {
  readonly position: { readonly x: number; readonly y: number } | undefined;
  /** As the plan lists them. */
  readonly seats: readonly Seat[];
  /** Ids of the seats that stand together, along the row. */
  readonly groups: readonly (readonly string[])[];
}

/** A row is made from its groups, then bent, turned, numbered and shuffled: none of that may show. */
function randomRow(random: Random, name: string, hallPitch: number): Row {
  const pitch = hallPitch * random.between(0.8, 1.2);
  const distances: number[] = [];
  const groups: string[][] = [];
  let distance = 0;
  for (let group = random.integer(1, 4); group > 0; group--) {
    const ids: string[] = [];
    for (let seat = random.integer(3, 9); seat > 0; seat--) {
      ids.push(`${name}-${distances.length}`);
      distances.push(distance + random.between(-0.1, 0.1) * pitch);
      distance += pitch;
    }
    groups.push(ids);
    distance += pitch * random.between(1, 2.5);
  }
  const total = distance;
  const bend = random.pick([0, random.between(-2.5, 2.5)]);
  const turn = random.between(0, 2 * Math.PI);
  const numberOf = random.pick([
    (index: number) => index + 1,
    (index: number) => 2 * index + 1,
    (index: number) => distances.length - index,
    (index: number) => (index * 7) % 101,
    (index: number) => String.fromCodePoint(0x2600 + index),
  ]);
  const seats = distances.map((along, index) => ({
    seat_guid: `${name}-${index}`,
    seat_number: String(numberOf(index)),
    position: turned(bent(along, total, bend), turn),
  }));
  return {
    position: random.pick([undefined, { x: random.between(-500, 500), y: random.between(-500, 500) }]),
    seats: random.pick([seats, seats.toReversed(), random.shuffled(seats)]),
    groups,
  };
}

/** A point of an arc that turns by `bend` over its length. */
function bent(along: number, length: number, bend: number): { x: number; y: number } {
  if (bend === 0) return { x: along, y: 0 };
  const radius = length / bend;
  const angle = along / radius;
  return { x: radius * Math.sin(angle), y: radius * (1 - Math.cos(angle)) };
}

const turned = ({ x, y }: { x: number; y: number }, angle: number) => ({
  x: x * Math.cos(angle) - y * Math.sin(angle),
  y: x * Math.sin(angle) + y * Math.cos(angle),
});

function groupsOf(row: LayoutRow): string[][] {
  const groups: string[][] = [[]];
  for (const seat of row.seats) {
    groups.at(-1)?.push(seat.seatId);
    if (seat.gapAfter === true) groups.push([]);
  }
  return groups;
}

describe('a random plan', () => {
  it.each(seeds)('seed %d: every seat once, in its row, where it is, beside its neighbours', (seed) => {
    const random = new Random(seed);
    const hallPitch = random.between(0.5, 40);
    const zones = Array.from({ length: random.integer(1, 3) }, (_, zone) => ({
      position: { x: random.between(-500, 500), y: random.between(-500, 500) },
      rows: Array.from({ length: random.integer(1, 5) }, (_, row) =>
        randomRow(random, `${zone}-${row}`, hallPitch),
      ),
    }));
    const layout = imported({ name: 'Hall', zones });
    expect(layout.sections).toHaveLength(zones.length);
    for (const [zoneIndex, zone] of zones.entries()) {
      const rows = layout.sections[zoneIndex]?.rows ?? [];
      expect(rows).toHaveLength(zone.rows.length);
      for (const [rowIndex, row] of zone.rows.entries()) {
        const found = rows[rowIndex] as LayoutRow;
        expect(found.seats.map((seat) => seat.seatId).sort()).toEqual(
          row.seats.map((seat) => seat.seat_guid).sort(),
        );
        const groups = groupsOf(found);
        const isForwards = groups.flat()[0] === row.groups.flat()[0];
        expect(isForwards ? groups : groups.toReversed().map((ids) => ids.toReversed())).toEqual(row.groups);
        for (const { seat_guid, seat_number, position } of row.seats) {
          const seat = found.seats.find(({ seatId }) => seatId === seat_guid);
          expect(seat?.number).toBe(seat_number);
          expect(seat?.x).toBeCloseTo(zone.position.x + (row.position?.x ?? 0) + position.x, 3);
          expect(seat?.y).toBeCloseTo(zone.position.y + (row.position?.y ?? 0) + position.y, 3);
        }
      }
    }
  });
});

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const junk = (random: Random): Json =>
  random.pick<() => Json>([
    () => null,
    () => true,
    () => '',
    () => 'A-1',
    () => '\ud800',
    () => 'x'.repeat(500),
    () => 0,
    () => -1,
    () => Number.MAX_VALUE,
    () => Number.POSITIVE_INFINITY,
    () => [],
    () => [[]],
    () => ({}),
    () => JSON.parse('{"__proto__": {"seats": []}, "toString": 1, "length": -1, "valueOf": null}'),
    () => ({ x: 1, y: 'y' }),
    () => ({ zones: [], sections: [] }),
  ])();

/** Replaces, removes, doubles or renames something in the document, at any depth. */
function mutate(random: Random, node: Json): Json {
  if (node === null || typeof node !== 'object' || random.fraction() < 0.08) return junk(random);
  if (Array.isArray(node)) {
    if (node.length === 0) return [junk(random)];
    const index = random.integer(0, node.length - 1);
    const element = node[index] as Json;
    return random.pick<() => Json[]>([
      () => node.toSpliced(index, 1),
      () => node.toSpliced(index, 0, element),
      () => node.with(index, mutate(random, element)),
      () => node.with(index, mutate(random, element)),
      () => node.with(index, mutate(random, element)),
    ])();
  }
  const entries = Object.entries(node);
  if (entries.length === 0) return junk(random);
  const index = random.integer(0, entries.length - 1);
  const [key, value] = entries[index] as [string, Json];
  return Object.fromEntries(
    random.pick<() => [string, Json][]>([
      () => entries.toSpliced(index, 1),
      () => entries.with(index, [random.pick(['__proto__', 'constructor', 'zones', 'seats', 'name']), value]),
      () => entries.with(index, [key, mutate(random, value)]),
      () => entries.with(index, [key, mutate(random, value)]),
      () => entries.with(index, [key, mutate(random, value)]),
    ])(),
  );
}

describe('a broken document', () => {
  const plans = ['theatre', 'sports-hall', 'beer-tent', 'bare'].map((name) => readPlan(name) as Json);
  const documents = [...plans, ...plans.map((plan) => JSON.parse(JSON.stringify(imported(plan))) as Json)];

  it.each(seeds)('seed %d: is a hall that compiles, or is refused with faults; nothing is thrown', (seed) => {
    const random = new Random(seed);
    for (let round = 0; round < 40; round++) {
      let document = random.pick(documents);
      for (let change = random.integer(1, 4); change > 0; change--) document = mutate(random, document);
      const result = importSeatingPlan(document);
      if ('layout' in result) {
        const map = new SeatMap({ venueId: venueId(1)!, ...result.layout });
        expect(new Set(map.seatIds).size).toBe(map.seatCount);
      } else {
        expect(result.faultsTotal).toBeGreaterThanOrEqual(1);
        expect(result.faults).toHaveLength(Math.min(result.faultsTotal, faultsListedMax));
        for (const fault of result.faults)
          expect(fault).toEqual({ path: expect.any(String), message: expect.any(String) });
      }
    }
    expect('seats' in {}).toBe(false);
  });
});
