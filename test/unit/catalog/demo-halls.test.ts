import { describe, expect, it } from 'vitest';
import { venueId } from '../../../src/actors/allocator/ids.ts';
import { SeatMap } from '../../../src/actors/allocator/seat-map.ts';
import type { LayoutSeat } from '../../../src/actors/allocator/venue-layout.ts';
import { demoCatalog } from '../../../src/catalog/demo-catalog.ts';
import { stadiumHall, theatreHall } from '../../../src/catalog/demo-halls.ts';
import { importedCategories, layoutSummary } from '../../../src/catalog/layout-summary.ts';
import type { VenueDraft } from '../../../src/catalog/venue-draft.ts';
import { imported } from './imported.ts';
import { groupsByRow } from './layout-groups.ts';

const seatsOf = (hall: VenueDraft): readonly LayoutSeat[] =>
  hall.sections.flatMap((section) => section.rows.flatMap((row) => row.seats));

/** The hall as a seating plan that tells positions and nothing of adjacency. */
const asSeatingPlan = (hall: VenueDraft): unknown => ({
  name: hall.name,
  zones: hall.sections.map((section) => ({
    name: section.name,
    rows: section.rows.map((row) => ({
      row_number: row.name,
      seats: row.seats.map(({ seatId, number, category, x, y }) => ({
        seat_guid: seatId,
        seat_number: number,
        category,
        position: { x, y },
      })),
    })),
  })),
});

/** Whether two seats are closer than `spacing`: each is compared with those of its own and the next cells. */
function tooClose(seats: readonly LayoutSeat[], spacing: number): string | undefined {
  const cells = new Map<string, LayoutSeat[]>();
  const cell = (value: number): number => Math.floor(value / spacing);
  for (const seat of seats) {
    const x = seat.x as number;
    const y = seat.y as number;
    for (let dx = -1; dx <= 1; dx++)
      for (let dy = -1; dy <= 1; dy++)
        for (const other of cells.get(`${cell(x) + dx},${cell(y) + dy}`) ?? [])
          if (Math.hypot(x - (other.x as number), y - (other.y as number)) < spacing)
            return `${seat.seatId} and ${other.seatId}`;
    const key = `${cell(x)},${cell(y)}`;
    cells.set(key, [...(cells.get(key) ?? []), seat]);
  }
  return undefined;
}

describe.each([
  { name: 'theatre', hall: theatreHall, seats: 1_886, spacing: 21 },
  { name: 'stadium', hall: stadiumHall, seats: 50_000, spacing: 4.7 },
])('the $name', ({ hall, seats, spacing }) => {
  const layout = hall();

  it(`has ${seats} seats, with an id, a place and a distance from the stage each`, () => {
    expect(layoutSummary(layout).seats).toBe(seats);
    const all = seatsOf(layout);
    expect(new Set(all.map((seat) => seat.seatId)).size).toBe(seats);
    for (const { seatId, x, y } of all) {
      expect(seatId.length).toBeLessThanOrEqual(10);
      expect(Number.isFinite(x) && Number.isFinite(y)).toBe(true);
    }
    for (const section of layout.sections)
      for (const row of section.rows) expect(row.stageDistance).toBeGreaterThan(0);
  });

  it('is the same each time', () => {
    expect(hall()).toEqual(layout);
  });

  it('can be drawn: no seat stands in another', () => {
    expect(tooClose(seatsOf(layout), spacing)).toBeUndefined();
  });

  it('has its gaps where an import of its drawing finds them', () => {
    expect(groupsByRow(imported(asSeatingPlan(layout)))).toEqual(groupsByRow(layout));
  });

  it('passes the import of its own form, and compiles', () => {
    expect(imported(JSON.parse(JSON.stringify(layout)))).toEqual(layout);
    expect(new SeatMap({ venueId: venueId(1)!, ...layout }).seatCount).toBe(seats);
  });
});

describe('the theatre', () => {
  const layout = theatreHall();

  it('has stalls, boxes and circle', () => {
    expect(layout.sections.map((section) => section.name)).toEqual(['Stalls', 'Boxes', 'Circle']);
  });

  it('has boxes of four to six seats without a gap, and rows of many lengths with aisles', () => {
    const [stalls, boxes, circle] = layout.sections;
    for (const box of boxes?.rows ?? []) {
      expect([4, 5, 6]).toContain(box.seats.length);
      expect(box.seats.some((seat) => seat.gapAfter)).toBe(false);
    }
    for (const row of stalls?.rows ?? []) expect(row.seats.filter((seat) => seat.gapAfter)).toHaveLength(2);
    for (const row of circle?.rows ?? []) expect(row.seats.filter((seat) => seat.gapAfter)).toHaveLength(4);
    expect(new Set(stalls?.rows.map((row) => row.seats.length)).size).toBeGreaterThan(10);
  });

  it.each(['ST-A-12', 'BOX-3-2', 'CI-C-8'])('has seat %s', (seatId) => {
    expect(seatsOf(layout).some((seat) => seat.seatId === seatId)).toBe(true);
  });
});

describe('the stadium', () => {
  it('is dearer nearer the pitch: no row of a better category is farther', () => {
    const farthest = new Map<string, number>();
    const nearest = new Map<string, number>();
    for (const { rows } of stadiumHall().sections) {
      for (const { stageDistance = 0, seats } of rows) {
        expect(new Set(seats.map((seat) => seat.category)).size).toBe(1);
        const category = seats[0]?.category as string;
        farthest.set(category, Math.max(farthest.get(category) ?? 0, stageDistance));
        nearest.set(category, Math.min(nearest.get(category) ?? Number.POSITIVE_INFINITY, stageDistance));
      }
    }
    const categories = [1, 2, 3, 4].map((number) => `Category ${number}`);
    expect([...nearest.keys()].sort()).toEqual(categories);
    for (const [index, category] of categories.slice(1).entries())
      expect(nearest.get(category)).toBeGreaterThanOrEqual(
        farthest.get(categories[index] as string) as number,
      );
  });
});

describe('the catalogue of the demo', () => {
  const nowMs = Date.UTC(2026, 10, 3, 12, 34, 56, 789);
  const catalog = demoCatalog(nowMs);

  it('has a price for each category of its hall, and for no other', () => {
    for (const { hall, prices } of catalog) {
      const categories = importedCategories(hall()).map(({ category }) => category);
      expect(prices.map(({ category }) => category).sort()).toEqual(categories.sort());
    }
  });

  it('has three schedules in the theatre and two in the stadium, all to come', () => {
    expect(catalog.map(({ schedules }) => schedules.length)).toEqual([3, 2]);
    for (const { startsAtMs } of catalog.flatMap(({ schedules }) => schedules)) {
      expect(Number.isInteger(startsAtMs)).toBe(true);
      expect(startsAtMs).toBeGreaterThan(nowMs);
    }
  });

  it('has one schedule that goes on sale in ten minutes', () => {
    const later = catalog.map(({ schedules }) => schedules.flatMap(({ onSaleAtMs }) => onSaleAtMs ?? []));
    expect(later).toEqual([[nowMs + 600_000], []]);
  });
});
