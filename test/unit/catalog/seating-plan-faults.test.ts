import { describe, expect, it } from 'vitest';
import { seatsPerVenueMax } from '../../../src/actors/allocator/venue-layout.ts';
import { faultsListedMax } from '../../../src/catalog/import-fault.ts';
import { categoriesPerVenueMax, sectionsPerVenueMax } from '../../../src/catalog/venue-check.ts';
import { imported, refused } from './imported.ts';

const seat = (fields: object = {}): object => ({ seat_guid: 'A-1', seat_number: '1', ...fields });
const plan = (...seats: unknown[]): object => planOf(seats);
const planOf = (seats: readonly unknown[]): object => ({
  name: 'Hall',
  zones: [{ name: 'Main', rows: [{ row_number: 'A', seats }] }],
});
const zones = (...list: unknown[]): object => ({ name: 'Hall', zones: list });
const seatPath = (index: number, field: string): string => `zones[0].rows[0].seats[${index}].${field}`;

const neither = 'must be a seating plan, which has `zones`, or a layout, which has `sections`';

const refusals: readonly [
  name: string,
  input: unknown,
  faults: readonly [path: string, message: string][],
][] = [
  ['null', null, [['', neither]]],
  ['text', 'zones', [['', neither]]],
  ['a list', [{ zones: [] }], [['', neither]]],
  ['an object of another kind', { name: 'Hall' }, [['', neither]]],
  ['zones that are inherited', Object.create({ zones: [] }), [['', neither]]],
  ['zones that are no list', { zones: {} }, [['zones', 'must be a list']]],
  ['no zones', zones(), [['zones', 'must have at least one seat']]],
  ['no seats', plan(), [['zones', 'must have at least one seat']]],
  [
    'a zone that is no object',
    zones(7),
    [
      ['zones', 'must have at least one seat'],
      ['zones[0]', 'must be an object'],
    ],
  ],
  [
    'rows that are missing',
    zones({ name: 'Main' }, { rows: [{ seats: [seat()] }] }),
    [['zones[0].rows', 'is missing']],
  ],
  [
    'seats that are missing',
    zones({ rows: [{ row_number: 'A' }, { seats: [seat()] }] }),
    [['zones[0].rows[0].seats', 'is missing']],
  ],
  ['a seat that is no object', plan(seat(), null), [['zones[0].rows[0].seats[1]', 'must be an object']]],
  ['a seat without an id', plan({ seat_number: '1' }), [[seatPath(0, 'seat_guid'), 'is missing']]],
  ['an id that is no text', plan(seat({ seat_guid: 7 })), [[seatPath(0, 'seat_guid'), 'must be text']]],
  [
    'an empty id',
    plan(seat({ seat_guid: '' })),
    [[seatPath(0, 'seat_guid'), 'must have 1 to 64 printable characters']],
  ],
  [
    'an id of 65 characters',
    plan(seat({ seat_guid: 'x'.repeat(65) })),
    [[seatPath(0, 'seat_guid'), 'must have 1 to 64 printable characters']],
  ],
  [
    'an id with a line end',
    plan(seat({ seat_guid: 'A\n1' })),
    [[seatPath(0, 'seat_guid'), 'must have 1 to 64 printable characters']],
  ],
  [
    'an id with half a surrogate pair',
    plan(seat({ seat_guid: 'A\ud83d' })),
    [[seatPath(0, 'seat_guid'), 'must have 1 to 64 printable characters']],
  ],
  ['a seat without a number', plan({ seat_guid: 'A-1' }), [[seatPath(0, 'seat_number'), 'is missing']]],
  [
    'a number that is no text',
    plan(seat({ seat_number: ['1'] })),
    [[seatPath(0, 'seat_number'), 'must be text']],
  ],
  [
    'a number beyond all',
    plan(seat({ seat_number: 'x'.repeat(65) })),
    [[seatPath(0, 'seat_number'), 'must have at most 64 characters']],
  ],
  ['a category that is no text', plan(seat({ category: {} })), [[seatPath(0, 'category'), 'must be text']]],
  [
    'a position that is no object',
    plan(seat({ position: 3 })),
    [[seatPath(0, 'position'), 'must be an object']],
  ],
  ['half a position', plan(seat({ position: { x: 3 } })), [[seatPath(0, 'position.y'), 'is missing']]],
  [
    'a position as text',
    plan(seat({ position: { x: '3', y: 0 } })),
    [[seatPath(0, 'position.x'), 'must be a number']],
  ],
  [
    'a position out of this world',
    plan(seat({ position: JSON.parse('{"x": 1e400, "y": -1e300}') })),
    [
      [seatPath(0, 'position.x'), 'must be a finite number'],
      [seatPath(0, 'position.x'), 'must be at most 1000000000'],
      [seatPath(0, 'position.y'), 'must be at least -1000000000'],
    ],
  ],
  [
    'an id that comes twice',
    plan(seat(), seat({ seat_guid: 'A-2' }), seat()),
    [[seatPath(2, 'seat_guid'), `must be unique, and ${seatPath(0, 'seat_guid')} is the same`]],
  ],
  [
    'an id that comes in two zones',
    zones({ rows: [{ seats: [seat()] }] }, { rows: [{ seats: [] }, { seats: [seat()] }] }),
    [
      [
        'zones[1].rows[1].seats[0].seat_guid',
        'must be unique, and zones[0].rows[0].seats[0].seat_guid is the same',
      ],
    ],
  ],
  [
    'several faults, each where it is',
    plan(seat(), seat(), { seat_number: null }, seat({ seat_guid: 'A-4', seat_number: 4 })),
    [
      [seatPath(1, 'seat_guid'), `must be unique, and ${seatPath(0, 'seat_guid')} is the same`],
      [seatPath(2, 'seat_guid'), 'is missing'],
      [seatPath(2, 'seat_number'), 'must be text'],
    ],
  ],
];

describe('a seating plan is refused with every fault by its path', () => {
  it.each(refusals)('%s', (_, input, faults) => {
    const result = refused(input);
    expect(result.faults).toEqual(faults.map(([path, message]) => ({ path, message })));
    expect(result.faultsTotal).toBe(faults.length);
  });

  it('lists the first 50 and counts the rest', () => {
    const result = refused(planOf(Array.from({ length: 1_000 }, () => ({}))));
    expect(result.faults).toHaveLength(faultsListedMax);
    expect(result.faults[49]).toEqual({ path: seatPath(24, 'seat_number'), message: 'is missing' });
    expect(result.faultsTotal).toBe(2_000);
  });
});

describe('bounds', () => {
  const seats = (count: number, fields: (index: number) => object = () => ({})) =>
    Array.from({ length: count }, (_, index) => seat({ seat_guid: `s${index}`, ...fields(index) }));

  it('takes 200,000 seats within five seconds, and one more not at all', () => {
    const position = (index: number) => ({ x: 25 * (index % 500), y: 30 * Math.floor(index / 500) });
    const many = seats(seatsPerVenueMax, (index) => ({
      position: position(index),
      category: 'A',
      uuid: `u${index}`,
    }));
    const rows = Array.from({ length: 400 }, (_, row) => ({
      row_number: `${row}`,
      seats: many.slice(row * 500, (row + 1) * 500),
    }));
    const startedMs = performance.now();
    const layout = imported(zones({ name: 'Main', rows }));
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(layout.sections[0]?.rows).toHaveLength(400);

    expect(refused(zones({ name: 'Main', rows: [...rows, { seats: [seat()] }] })).faults).toEqual([
      { path: 'zones', message: 'must have at most 200000 seats, and has 200001' },
    ]);
  });

  it('says that there are too many seats though each of them has faults', () => {
    const result = refused(planOf(Array.from({ length: seatsPerVenueMax + 1 }, () => null)));
    expect(result.faults[0]).toEqual({
      path: 'zones',
      message: 'must have at most 200000 seats, and has 200001',
    });
    expect(result.faults).toHaveLength(faultsListedMax);
    expect(result.faultsTotal).toBe(seatsPerVenueMax + 2);
  });

  it.each([
    [categoriesPerVenueMax, 0],
    [categoriesPerVenueMax + 1, 1],
  ])('%d categories: %d faults', (count, faults) => {
    const input = planOf(seats(count, (index) => ({ category: `c${index}` })));
    if (faults === 0) expect(imported(input).sections).toHaveLength(1);
    else
      expect(refused(input).faults).toEqual([{ path: 'zones', message: 'must have at most 256 categories' }]);
  });

  it('refuses more sections than a venue can have', () => {
    const sections = seats(sectionsPerVenueMax + 1).map((one) => ({ rows: [{ seats: [one] }] }));
    expect(refused(zones(...sections)).faults).toEqual([
      { path: 'zones', message: 'must have at most 1000 sections, and has 1001' },
    ]);
  });
});

describe('keys of Object.prototype in a plan', () => {
  it('are fields like others', () => {
    const text = JSON.stringify(
      plan(seat({ toString: 1, constructor: { name: 'x' }, hasOwnProperty: null })),
    );
    const layout = imported(
      JSON.parse(text.replace('{', '{"__proto__": {"name": "evil", "sections": []}, ')),
    );
    expect(layout.name).toBe('Hall');
    expect(Object.keys(layout.sections[0]?.rows[0]?.seats[0] ?? {})).toEqual([
      'seatId',
      'number',
      'category',
    ]);
    expect('sections' in {}).toBe(false);
  });

  it('do no harm as segment breaks, names or categories', () => {
    const row = {
      row_number: 'constructor',
      segment_breaks: [{ toString: 1 }, '__proto__', 2],
      seats: [seat({ category: '__proto__' })],
    };
    const layout = imported({
      zones: [
        { name: '__proto__', rows: [row] },
        { name: '__proto__', rows: [{ seats: [seat({ seat_guid: 'toString' })] }] },
      ],
    });
    expect(layout.sections.map((section) => section.name)).toEqual(['__proto__', '__proto__ (2)']);
    expect(layout.sections[0]?.rows[0]?.seats[0]?.category).toBe('__proto__');
  });
});
