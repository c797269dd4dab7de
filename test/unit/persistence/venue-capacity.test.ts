import { expect, it } from 'vitest';
import { countSeats } from '../../../src/persistence/venue-capacity.ts';

const seat = { seatId: 'x', number: '1', category: 'c' };

it('countSeats adds up rows and sections, also empty ones', () => {
  expect(countSeats({ sections: [] })).toBe(0);
  const sections = [
    {
      name: 'a',
      rows: [
        { name: '1', seats: [seat, seat] },
        { name: '2', seats: [] },
      ],
    },
    { name: 'b', rows: [] },
    { name: 'c', rows: [{ name: '1', seats: [seat] }] },
  ];
  expect(countSeats({ sections })).toBe(3);
});
