import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { venueId } from '../../../src/actors/allocator/ids.ts';
import { SeatMap } from '../../../src/actors/allocator/seat-map.ts';
import { layoutSummary } from '../../../src/catalog/layout-summary.ts';
import { imported, readPlan } from './imported.ts';
import { groupsByRow } from './layout-groups.ts';

const plans = [
  {
    plan: 'theatre',
    shows: 'extra fields on every level, floats, a row without a position, wheelchair, odd numbering',
    summary: { name: 'Kleines Haus', seats: 52, sections: 2, categories: ['Parkett', 'Rang'] },
    rows: {
      'Parkett/A': '1 2 3 4 | 5 6 7 8',
      'Parkett/B': '1 2 3 4 5 6',
      'Parkett/C': '1 2 3 4 5 6 7 8',
      'Parkett/D': '7 5 3 1 2 4 6 8',
      'Parkett/E': '1 2 3 3a 5 6 9',
      'Parkett/F': '1 3 5 7 | 9 11',
      'Rang/1': '1 2 3 4 5 | 6 7 8 9',
    },
  },
  {
    plan: 'sports-hall',
    shows: 'segment breaks, renumbered seats, numeric row numbers, an empty category, empty categories',
    summary: { name: 'Sporthalle', seats: 23, sections: 1, categories: ['Standard'] },
    rows: {
      'Block D/8': '1 2 | 3 4 5 6 | 7 8',
      'Block D/7': '1 2 3 4 5 6 7 8',
      'Block D/6': '1 2 3 4 | 11 | 13 | 15',
    },
  },
  {
    plan: 'beer-tent',
    shows: 'tables, two zones of one name, two rows of one name, no categories',
    summary: { name: 'Festzelt', seats: 26, sections: 2, categories: ['Standard'] },
    rows: {
      'Main/1': '1 3 5 7 | 8 6 4 2',
      'Main/2': '1 3 | 4 2',
      'Main/1 (2)': '1 2',
      'Main (2)/Rund': '1 2 3 4 5 6',
      'Main (2)/Eck': 'A B C | F E D',
    },
  },
  {
    plan: 'bare',
    shows: 'a zone without a name, rows without a name, seats without positions or all in one place',
    summary: { name: 'Gemeindesaal', seats: 16, sections: 1, categories: ['Standard'] },
    rows: {
      'Zone 1/1': '1 2 3 | 5 6',
      'Zone 1/2': '2 4 6 8 | 12',
      'Zone 1/3': 'links Mitte rechts',
      'Zone 1/4': 'A B | D',
    },
  },
];

describe('plans from the field are imported', () => {
  it.each(plans)('$plan: $shows', ({ plan, summary, rows }) => {
    const layout = imported(readPlan(plan));
    expect(layoutSummary(layout)).toEqual(summary);
    expect(groupsByRow(layout)).toEqual(rows);
    const map = new SeatMap({ venueId: venueId(1)!, ...layout });
    expect(map.seatCount).toBe(summary.seats);
  });
});

describe('the page about seating plans', () => {
  const page = readFileSync(new URL('../../../docs/seating-plans.md', import.meta.url), 'utf8');
  const examples = Array.from(page.matchAll(/^```json\n(\{\n.*?)^```/gms), (match) => match[1] as string);

  it('shows documents that are imported', () => {
    expect(examples.map((example) => groupsByRow(imported(JSON.parse(example))))).toEqual([
      { 'Stalls/A': '1' },
      { 'Stalls/A': '1 | 2' },
    ]);
  });
});

describe('positions', () => {
  const theatre = imported(readPlan('theatre'));
  const seats = new Map(
    theatre.sections.flatMap((section) =>
      section.rows.flatMap((row) => row.seats.map((seat) => [seat.seatId, seat])),
    ),
  );

  it.each([
    ['P-A-5', 'zone + row + seat', { x: 202, y: 100.875 }],
    ['P-B-3', 'the row has none', { x: 100.5, y: 135.75 }],
    ['R-1-1', 'floats', { x: 96.756, y: 367.447 }],
  ])('%s: %s', (seatId, _, at) => {
    expect(seats.get(seatId)).toMatchObject(at);
  });

  it('are left out for seats that have none', () => {
    const [seat] = imported(readPlan('bare')).sections[0]!.rows[0]!.seats;
    expect(seat).toEqual({ seatId: '1-1', number: '1', category: 'Standard' });
  });
});

describe('the distance from the stage', () => {
  const distances = (input: unknown) =>
    imported(input).sections.flatMap((section) => section.rows.map((row) => row.stageDistance));
  const row = (y: number) => ({
    row_number: `${y}`,
    position: { x: 0, y },
    seats: [seat(`${y}-1`, 0), seat(`${y}-2`, 60)],
  });
  const seat = (seat_guid: string, x: number) => ({
    seat_guid,
    seat_number: seat_guid,
    position: { x, y: 0 },
  });
  const plan = (areas: unknown, size?: unknown) => ({
    name: 'Hall',
    ...(size !== undefined && { size }),
    zones: [{ name: 'Main', position: { x: 10, y: 20 }, areas, rows: [row(100), row(180)] }],
  });
  const area = (text: unknown, x: number, y: number) => ({ shape: 'text', position: { x, y }, text });

  it.each([
    [
      'the middle of the stage',
      plan([{ ...area({ text: 'Stage' }, 0, -20), rectangle: { width: 60, height: 40 } }]),
      [100, 180],
    ],
    ['a text without a shape, as old plans have it', plan([area('BÜHNE', 30, 0)]), [100, 180]],
    [
      'the shortest of several',
      plan([area('Stage door', 999, 9), area('Hauptbühne', 5, 5), area('Stage', 30, 0)]),
      [100, 180],
    ],
    [
      'a rotated rectangle',
      plan([{ ...area('Screen', 10, 0), rotation: 90, rectangle: { width: 0, height: -40 } }]),
      [100, 180],
    ],
    [
      'a polygon',
      plan([
        {
          ...area('Pitch', 0, 0),
          polygon: {
            points: [
              { x: 0, y: 0 },
              { x: 60, y: 0 },
            ],
          },
        },
      ]),
      [100, 180],
    ],
    [
      'no area says stage: the top edge of the drawing',
      plan([area('Bar', 0, 0)], { width: 80, height: 400 }),
      [120, 200],
    ],
    [
      'backstage is not the stage, nor is a box',
      plan([area('Backstage', 0, 0), area('Palco 3', 0, 0)], { width: 80 }),
      [120, 200],
    ],
    ['a drawing without a size: the top edge of its seats', plan([]), [0, 80]],
    [
      'areas that cannot be read',
      plan([null, 7, { text: 'Stage', position: 'x', rotation: {} }, area({}, 0, 0)], { width: 80 }),
      [104.403, 182.483],
    ],
    ['areas that are no list', plan('none', { width: 'wide' }), [0, 80]],
  ])('%s', (_, input, expected) => {
    expect(distances(input)).toEqual(expected);
  });

  it('is left out for rows without positions', () => {
    expect(distances(readPlan('bare'))).toEqual([undefined, expect.any(Number), undefined, undefined]);
  });
});

describe('names', () => {
  const plan = (zones: readonly unknown[]) => ({
    zones: zones.map((zone, index) => ({
      rows: [{ row_number: 'A', seats: [{ seat_guid: `s${index}`, seat_number: '1' }] }],
      ...(zone as object),
    })),
  });
  const sections = (zones: readonly unknown[]) =>
    imported(plan(zones)).sections.map((section) => section.name);

  it.each([
    ['the zone’s', [{ name: 'Main' }, { name: 'Balcony' }], ['Main', 'Balcony']],
    [
      'numbered when taken',
      [{ name: 'Main' }, { name: 'Main' }, { name: 'Main' }],
      ['Main', 'Main (2)', 'Main (3)'],
    ],
    [
      'numbered past a name that is taken',
      [{ name: 'Main' }, { name: 'Main (2)' }, { name: 'Main' }],
      ['Main', 'Main (2)', 'Main (3)'],
    ],
    ['the zone’s id where it has no name', [{ name: ' ', zone_id: 'M1' }, { zone_id: 7 }], ['M1', '7']],
    ['its place where it has neither', [{ name: null }, {}], ['Zone 1', 'Zone 2']],
  ])('of sections are %s', (_, zones, expected) => {
    expect(sections(zones)).toEqual(expected);
  });

  it('of rows are their numbers, text or not, else their places', () => {
    const rows = [7, '7', '', null, undefined, 'B'].map((row_number, index) => ({
      row_number,
      seats: [{ seat_guid: `s${index}`, seat_number: index }],
    }));
    expect(groupsByRow(imported(plan([{ name: 'Main', rows }])))).toEqual({
      'Main/7': '0',
      'Main/7 (2)': '1',
      'Main/3': '2',
      'Main/4': '3',
      'Main/5': '4',
      'Main/B': '5',
    });
  });

  it('of a venue that has none is said to be unknown', () => {
    expect(imported(plan([{}])).name).toBe('Unnamed venue');
  });

  it('of zones and rows without seats are not sections or rows', () => {
    const layout = imported(
      plan([{ name: 'Decorations', rows: [] }, { name: 'Empty', rows: [{ seats: [] }] }, { name: 'Main' }]),
    );
    expect(groupsByRow(layout)).toEqual({ 'Main/A': '1' });
  });
});
