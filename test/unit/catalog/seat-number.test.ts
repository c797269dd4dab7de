import { describe, expect, it } from 'vitest';
import { parseSeatNumber, runsOn, strideOf } from '../../../src/catalog/seat-number.ts';

const labels: readonly [label: string, series: string | undefined, value: number | undefined][] = [
  ['12', 'digits ', 12],
  ['007', 'digits ', 7],
  ['A12', 'digits A', 12],
  ['12a', 'digits ', 12],
  ['2-14', 'digits 2-', 14],
  ['Platz 3', 'digits Platz ', 3],
  ['a', 'letters', 1],
  ['Z', 'letters', 26],
  ['AA', 'letters', 27],
  ['left', undefined, undefined],
  ['', undefined, undefined],
  ['–', undefined, undefined],
];

describe('a seat number counts', () => {
  it.each(labels)('%j: series %j, value %j', (label, series, value) => {
    expect(parseSeatNumber(label)).toEqual(series === undefined ? undefined : { series, value });
  });
});

describe('the stride of a row', () => {
  it.each([
    ['1 2 3 4', 1],
    ['1 3 5 7', 2],
    ['5 3 1 2 4 6', 2],
    ['1 2 3 9 10', 1],
    ['10 20 30', 2],
    ['A B C', 1],
    ['7', 1],
    ['left right', 1],
  ])('%s is numbered by %d', (numbers, stride) => {
    expect(strideOf(numbers.split(' ').map(parseSeatNumber))).toBe(stride);
  });
});

describe('numbers run on', () => {
  it.each([
    ['1', '2', 1, true],
    ['2', '1', 1, true],
    ['1', '3', 1, false],
    ['1', '3', 2, true],
    ['12', '12a', 1, true],
    ['12a', '13', 1, true],
    ['A9', 'B10', 1, false],
    ['12', 'C', 1, false],
    ['left', '12', 1, true],
  ] as const)('%s, %s by %d: %s', (a, b, stride, expected) => {
    expect(runsOn(parseSeatNumber(a), parseSeatNumber(b), stride)).toBe(expected);
  });
});
