import { expect, test } from 'vitest';
import { bitsUpTo, highestBit, lowestBit, popCount } from '../../../../src/actors/allocator/bits.ts';
import { forEachSeed } from '../seeded-random.ts';

interface Row {
  readonly word: number;
  readonly lowest: number;
  readonly highest: number;
  readonly count: number;
}

test.each<Row>([
  { word: 0, lowest: 32, highest: -1, count: 0 },
  { word: 1, lowest: 0, highest: 0, count: 1 },
  { word: 0b1011_0000, lowest: 4, highest: 7, count: 3 },
  { word: 0x7fff_ffff, lowest: 0, highest: 30, count: 31 },
  { word: 0x8000_0000 | 0, lowest: 31, highest: 31, count: 1 },
  { word: -1, lowest: 0, highest: 31, count: 32 },
])('$word: lowest $lowest, highest $highest, $count set', ({ word, lowest, highest, count }) => {
  expect([lowestBit(word), highestBit(word), popCount(word)]).toEqual([lowest, highest, count]);
});

test.each([
  [-32, 0],
  [-1, 0],
  [0, 1],
  [4, 0b11111],
  [30, 0x7fff_ffff],
  [31, -1],
  [99, -1],
])('bits up to %i, as a 32-bit word', (index, expected) => {
  expect(bitsUpTo(index) | 0).toBe(expected);
});

test('random words: the same as their binary digits', () => {
  forEachSeed(2_000, (random) => {
    const word = (random.int(0x1_0000) << 16) | (random.chance(50) ? random.int(0x1_0000) : 0);
    const digits = (word >>> 0).toString(2).padStart(32, '0');
    expect(popCount(word)).toBe(digits.replaceAll('0', '').length);
    expect(highestBit(word)).toBe(digits.includes('1') ? 31 - digits.indexOf('1') : -1);
    expect(lowestBit(word)).toBe(digits.includes('1') ? 31 - digits.lastIndexOf('1') : 32);
  });
});
