import { describe, expect, test } from 'vitest';
import { nearestRun } from '../../../../src/actors/allocator/nearest-run.ts';
import { forEachSeed, type SeededRandom } from '../seeded-random.ts';

/** A block drawn seat by seat, `.` free and `x` taken, in words that start at `first`. */
function wordsOf(drawing: string, first = 0): Int32Array {
  const words = new Int32Array(first + ((drawing.length + 31) >>> 5));
  for (const [index, seat] of [...drawing].entries()) {
    const at = first + (index >>> 5);
    if (seat === '.') words[at] = (words[at] as number) | (1 << (index & 31));
  }
  return words;
}

interface Row {
  readonly name: string;
  readonly block: string;
  readonly allowed?: string;
  readonly quantity: number;
  /** Absent = the block is the row. */
  readonly middleDoubled?: number;
  readonly clean?: boolean;
  readonly expected: number;
}

const rows: readonly Row[] = [
  { name: 'the only run', block: 'xx..x', quantity: 2, expected: 2 },
  { name: 'none', block: '.x.x.', quantity: 2, expected: -1 },
  { name: 'nearest to the middle', block: '..x..x..', quantity: 2, expected: 3 },
  { name: 'the lower of two equally near', block: '..xx..', quantity: 2, expected: 0 },
  { name: 'exactly 32 seats', block: '.'.repeat(32), quantity: 20, expected: 6 },
  { name: 'across the edge of a word', block: `${'x'.repeat(30)}....x`, quantity: 4, expected: 30 },
  { name: 'the last seat of the second word', block: `${'x'.repeat(63)}.`, quantity: 1, expected: 63 },
  { name: 'not beyond the end of the block', block: `${'x'.repeat(30)}..`, quantity: 3, expected: -1 },
  { name: 'the middle lies right of the block', block: '.....', quantity: 2, middleDoubled: 40, expected: 3 },
  { name: 'the middle lies left of the block', block: '.....', quantity: 2, middleDoubled: -40, expected: 0 },
  { name: 'the middle is the left edge', block: '.....', quantity: 1, middleDoubled: 0, expected: 0 },
  { name: 'the middle is half a seat left', block: '.....', quantity: 2, middleDoubled: 1, expected: 0 },
  { name: 'clean: not where one seat stays', block: '.....', quantity: 3, clean: true, expected: 0 },
  { name: 'clean: none', block: '...', quantity: 2, clean: true, expected: -1 },
  { name: 'clean: a single seat is no neighbour', block: '.x...', quantity: 3, clean: true, expected: 2 },
  {
    name: 'clean: across the edge of a word',
    block: `${'x'.repeat(30)}......x`,
    quantity: 4,
    clean: true,
    middleDoubled: 66,
    expected: 30,
  },
  { name: 'allowed seats only', block: '......', allowed: 'xx..xx', quantity: 2, expected: 2 },
  {
    name: 'a seat that is not allowed can be stranded all the same',
    block: '...',
    allowed: '..x',
    quantity: 2,
    clean: true,
    expected: -1,
  },
];

describe('drawn blocks', () => {
  test.each(rows)(
    '$name',
    ({ block, allowed, quantity, middleDoubled = block.length, clean = false, expected }) => {
      const words = wordsOf(block);
      const mask = allowed === undefined ? undefined : wordsOf(allowed);
      expect(nearestRun(words, mask, 0, words.length, quantity, middleDoubled, clean)).toBe(expected);
    },
  );
});

test('random blocks: the same as looking at every start', () => {
  forEachSeed(20_000, (random) => {
    const length = random.chance(30) ? random.pick([1, 31, 32, 33, 64, 65, 96]) : random.between(1, 120);
    const block = randomDrawing(random, length);
    const allowed = random.chance(30) ? randomDrawing(random, length) : undefined;
    const quantity = random.between(1, random.pick([3, 8, 20]));
    const middleDoubled = random.chance(50) ? length : random.between(-30, 2 * length + 30);
    const clean = random.chance(50);
    const first = random.int(3);
    const found = nearestRun(
      wordsOf(block, first),
      allowed === undefined ? undefined : wordsOf(allowed, first),
      first,
      (length + 31) >>> 5,
      quantity,
      middleDoubled,
      clean,
    );
    expect({ block, allowed, quantity, middleDoubled, clean, found }).toEqual({
      block,
      allowed,
      quantity,
      middleDoubled,
      clean,
      found: everyStart(block, allowed, quantity, middleDoubled, clean),
    });
  });
});

function randomDrawing(random: SeededRandom, length: number): string {
  const percent = random.pick([10, 50, 90, 100]);
  return Array.from({ length }, () => (random.chance(percent) ? '.' : 'x')).join('');
}

function everyStart(
  block: string,
  allowed: string | undefined,
  quantity: number,
  middleDoubled: number,
  clean: boolean,
): number {
  const run = '.'.repeat(quantity);
  let best = -1;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (let start = 0; start + quantity <= block.length; start++) {
    const end = start + quantity;
    if (block.slice(start, end) !== run) continue;
    if (allowed !== undefined && allowed.slice(start, end) !== run) continue;
    const isLeftStranded = block[start - 1] === '.' && block[start - 2] !== '.';
    const isRightStranded = block[end] === '.' && block[end + 1] !== '.';
    if (clean && (isLeftStranded || isRightStranded)) continue;
    const distance = Math.abs(2 * start + quantity - middleDoubled);
    if (distance >= bestDistance) continue;
    best = start;
    bestDistance = distance;
  }
  return best;
}
