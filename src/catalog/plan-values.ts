import * as v from 'valibot';

/** The values that seating plans and layouts are made of, each with the bound that it has in Usher. */

export const nameLengthMax = 200;
/** Far beyond any drawing, and small enough that sums of three stay exact to a thousandth. */
const coordinateMax = 1_000_000_000;

/** 1–64 printable characters: no control or format characters, no line ends, no half of a surrogate pair. */
const SEAT_ID = /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u;

export const seatIdSchema = v.pipe(
  v.string('must be text'),
  v.regex(SEAT_ID, 'must have 1 to 64 printable characters'),
);

export const finiteSchema = v.pipe(v.number('must be a number'), v.finite('must be a finite number'));

export const coordinateSchema = v.pipe(
  finiteSchema,
  v.minValue(-coordinateMax, `must be at least ${-coordinateMax}`),
  v.maxValue(coordinateMax, `must be at most ${coordinateMax}`),
);

export const textSchema = (lengthMax: number) =>
  v.pipe(v.string('must be text'), v.maxLength(lengthMax, `must have at most ${lengthMax} characters`));

export const nameSchema = v.pipe(textSchema(nameLengthMax), v.regex(/\S/, 'must not be blank'));
