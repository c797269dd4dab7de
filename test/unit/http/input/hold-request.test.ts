import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { holdRequest } from '../../../../src/http/input/request-schemas.ts';
import { readUsualHold } from '../../../../src/http/input/usual-hold.ts';
import { validate } from '../../../../src/http/input/validation.ts';

const schema = holdRequest(10);

function errorsOf(input: unknown): unknown {
  const result = validate(schema, input);
  if (result.ok) return [];
  const { errors } = result.problem.members;
  return errors;
}

describe('a hold that is refused, with every fault', () => {
  test.each<[name: string, input: unknown, errors: readonly (readonly [path: string, message: string])[]]>([
    ['no object', null, [['', 'must be an object']]],
    ['a list', [], [['', 'must be an object']]],
    ['nothing in it', {}, [['scheduleId', 'is missing']]],
    ['neither way', { scheduleId: 1 }, [['', 'must have either seatIds or bestAvailable']]],
    [
      'both ways',
      { scheduleId: 1, seatIds: ['A-1'], bestAvailable: { quantity: 1 } },
      [['', 'must have either seatIds or bestAvailable']],
    ],
    ['a price', { scheduleId: 1, seatIds: ['A-1'], priceMinor: 1 }, [['priceMinor', 'is not a known field']]],
    [
      'wrong ids',
      { scheduleId: '1', seatIds: ['A-1', 7, '', 'x'.repeat(65), 'a\nb'] },
      [
        ['scheduleId', 'must be an integer of 1 or more'],
        ['seatIds[1]', 'must be text'],
        ['seatIds[2]', 'must have 1 to 64 printable characters'],
        ['seatIds[3]', 'must have 1 to 64 printable characters'],
        ['seatIds[4]', 'must have 1 to 64 printable characters'],
      ],
    ],
    ['a fraction', { scheduleId: 1.5, seatIds: ['A'] }, [['scheduleId', 'must be an integer of 1 or more']]],
    ['zero', { scheduleId: 0, seatIds: ['A'] }, [['scheduleId', 'must be an integer of 1 or more']]],
    ['no seats', { scheduleId: 1, seatIds: [] }, [['seatIds', 'must have at least 1 element']]],
    [
      'too many seats',
      { scheduleId: 1, seatIds: Array.from({ length: 11 }, (_, i) => `A-${i}`) },
      [['seatIds', 'must have at most 10 elements']],
    ],
    [
      'best of nothing',
      { scheduleId: 1, bestAvailable: { quantity: 0, section: ' ', adjacent: 'no', row: 'A' } },
      [
        ['bestAvailable.quantity', 'must be an integer from 1 to 10'],
        ['bestAvailable.section', 'must have 1 to 200 printable characters, not only spaces'],
        ['bestAvailable.adjacent', 'must be true or false'],
        ['bestAvailable.row', 'is not a known field'],
      ],
    ],
  ])('%s', (_name, input, errors) => {
    expect(errorsOf(input)).toEqual(errors.map(([path, message]) => ({ path, message })));
  });

  test('lists at most 50 faults', () => {
    const input = { scheduleId: 1, seatIds: Array.from({ length: 1000 }, () => 7) };
    expect(errorsOf(input)).toHaveLength(50);
  });
});

test('adjacent is what is meant when nothing is said', () => {
  expect(v.parse(schema, { scheduleId: 1, bestAvailable: { quantity: 2 } })).toEqual({
    scheduleId: 1,
    bestAvailable: { quantity: 2, adjacent: true },
  });
});

/** mulberry32 (Ettinger, public domain): the same bodies in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

describe('the reader of usual holds', () => {
  const scheduleIds = [1, 7, 2 ** 53 - 1, 0, -1, 1.5, 2 ** 53, '1', null, undefined, Number.NaN];
  const seatIds = ['A-1', ' ', 'Ä-1', '', '\t', 'x'.repeat(64), 'x'.repeat(65), 5, null, '\u007f', '🎭'];
  const extras = [
    {},
    {},
    {},
    { bestAvailable: { quantity: 1 } },
    { seatId: 'A' },
    { bestAvailable: undefined },
  ];

  function randomBody(random: (below: number) => number): unknown {
    const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;
    // Mostly right, so that both outcomes are frequent.
    const seat = () => (random(4) === 0 ? pick(seatIds) : 'A-1');
    const seats = random(8) === 0 ? pick([null, 'A-1', {}]) : Array.from({ length: random(13) }, seat);
    return { scheduleId: random(3) === 0 ? pick(scheduleIds) : 3, seatIds: seats, ...pick(extras) };
  }

  test('lets through only what the schema lets through, unchanged', () => {
    const seed = 20261201;
    const random = randomFrom(seed);
    let usual = 0;
    for (let i = 0; i < 20_000; i++) {
      const body = randomBody(random);
      const read = readUsualHold(body, 10);
      if (read === undefined) continue;
      usual += 1;
      expect(validate(schema, body), `seed ${seed}, body ${JSON.stringify(body)}`).toEqual({
        ok: true,
        value: read,
      });
    }
    expect(usual).toBeGreaterThan(1000);
  });

  test('takes what nearly every hold is', () => {
    expect(readUsualHold({ scheduleId: 1, seatIds: ['A-1', 'A-2'] }, 10)).toBeDefined();
  });
});
