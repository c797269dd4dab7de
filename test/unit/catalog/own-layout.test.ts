import { describe, expect, it } from 'vitest';
import type { VenueDraft } from '../../../src/catalog/venue-draft.ts';
import { imported, refused } from './imported.ts';

const layout: VenueDraft = {
  name: 'Hall',
  sections: [
    {
      name: 'Main',
      rows: [
        {
          name: 'A',
          stageDistance: 12.5,
          seats: [
            { seatId: 'A-1', number: '1', category: 'Standard', gapAfter: true, x: 0.5, y: 1 },
            { seatId: 'A-2', number: '2', category: 'Standard' },
          ],
        },
        { name: 'B', seats: [{ seatId: 'B-1', number: '', category: 'Box' }] },
      ],
    },
  ],
};
const withSeat = (fields: object): unknown => ({
  name: 'Hall',
  sections: [
    {
      name: 'Main',
      rows: [{ name: 'A', seats: [{ seatId: 'A-1', number: '1', category: 'Box', ...fields }] }],
    },
  ],
});
const seatPath = (field: string): string => `sections[0].rows[0].seats[0].${field}`;

describe('a layout in Usher’s own form', () => {
  it('is taken as it is', () => {
    expect(imported(JSON.parse(JSON.stringify(layout)))).toEqual(layout);
  });

  it('keeps no gapAfter that says no', () => {
    const seat = imported(withSeat({ gapAfter: false })).sections[0]?.rows[0]?.seats[0];
    expect(seat).toEqual({ seatId: 'A-1', number: '1', category: 'Box' });
  });

  const row = { name: 'A', seats: [{ seatId: 'A-1', number: '1', category: 'Box' }] };
  const empty = ['sections', 'must have at least one seat'];

  it.each<[name: string, input: unknown, faults: string[][]]>([
    ['no name', { sections: [{ name: 'Main', rows: [row] }] }, [['name', 'is missing']]],
    [
      'a blank name',
      { name: ' ', sections: [{ name: 'Main', rows: [row] }] },
      [['name', 'must not be blank']],
    ],
    ['no sections', { name: 'Hall', sections: [] }, [empty]],
    [
      'no rows',
      { name: 'Hall', sections: [{ name: 'Main', rows: [] }] },
      [empty, ['sections[0].rows', 'must have at least one element']],
    ],
    ['an unknown field', { name: 'Hall', venueId: 1, sections: [] }, [['venueId', 'is not a known field']]],
    [
      'a field of Object.prototype',
      JSON.parse('{"name": "Hall", "sections": [], "__proto__": {}}'),
      [['__proto__', 'is not a known field']],
    ],
    [
      'a misspelt field of a seat',
      withSeat({ gap_after: true }),
      [[seatPath('gap_after'), 'is not a known field']],
    ],
    ['a gap that is neither', withSeat({ gapAfter: 1 }), [[seatPath('gapAfter'), 'must be true or false']]],
    ['a number that is none', withSeat({ number: 1 }), [[seatPath('number'), 'must be text']]],
    ['a position that is null', withSeat({ x: null }), [[seatPath('x'), 'must be a number']]],
    ['no category', withSeat({ category: undefined }), [[seatPath('category'), 'must be text']]],
    [
      'an id with a tab',
      withSeat({ seatId: 'A\t1' }),
      [[seatPath('seatId'), 'must have 1 to 64 printable characters']],
    ],
    [
      'a distance below nothing',
      { name: 'Hall', sections: [{ name: 'Main', rows: [row, { ...row, name: 'B', stageDistance: -1 }] }] },
      [['sections[0].rows[1].stageDistance', 'must be at least 0']],
    ],
    [
      'a seat that comes twice',
      { name: 'Hall', sections: [{ name: 'Main', rows: [row, { ...row, name: 'B' }] }] },
      [['sections[0].rows[1].seats[0].seatId', `must be unique, and ${seatPath('seatId')} is the same`]],
    ],
    [
      'two rows of one name',
      {
        name: 'Hall',
        sections: [{ name: 'Main', rows: [row, { ...row, seats: [{ ...row.seats[0], seatId: 'A-2' }] }] }],
      },
      [['sections[0].rows[1].name', 'must be unique, and that of sections[0].rows[0] is the same']],
    ],
    [
      'two sections of one name',
      {
        name: 'Hall',
        sections: [
          { name: 'Main', rows: [row] },
          { name: 'Main', rows: [{ ...row, seats: [{ ...row.seats[0], seatId: 'A-2' }] }] },
        ],
      },
      [['sections[1].name', 'must be unique, and that of sections[0] is the same']],
    ],
  ])('is refused with %s', (_, input, faults) => {
    const result = refused(input);
    expect(result.faults).toEqual(faults.map(([path, message]) => ({ path, message })));
    expect(result.faultsTotal).toBe(faults.length);
  });
});
