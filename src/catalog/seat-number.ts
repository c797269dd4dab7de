/**
 * What a seat's number says about its neighbours. Numbers are labels for people: `12`, `A12`, `12b`, `C`,
 * `2-14`. The last group of digits counts; what stands before it is the series; a letter after it is an
 * inserted seat (12, 12b, 13). One to three letters alone count like columns of a spreadsheet: A, B … Z, AA.
 */
interface SeatNumber {
  readonly series: string;
  readonly value: number;
}

const WITH_DIGITS = /^(.*?)(\d{1,9})\D*$/su;
const LETTERS = /^[A-Za-z]{1,3}$/;
const LETTER_SERIES = 'letters';

/** Undefined for a label that does not count. */
export function parseSeatNumber(label: string): SeatNumber | undefined {
  const digits = WITH_DIGITS.exec(label);
  if (digits !== null) return { series: `digits ${digits[1]}`, value: Number(digits[2]) };
  if (!LETTERS.test(label)) return undefined;
  let value = 0;
  for (const letter of label.toUpperCase()) value = value * 26 + letter.charCodeAt(0) - 64;
  return { series: LETTER_SERIES, value };
}

/**
 * How far numbers of neighbours lie apart in a row: 2 where the row is numbered by odds or evens, else 1.
 * The lower median of the differences, so that gaps do not count.
 */
export function strideOf(numbers: readonly (SeatNumber | undefined)[]): 1 | 2 {
  const differences: number[] = [];
  for (let i = 1; i < numbers.length; i++) {
    const a = numbers[i - 1];
    const b = numbers[i];
    if (a === undefined || b === undefined || a.series !== b.series) continue;
    differences.push(Math.abs(a.value - b.value));
  }
  differences.sort((a, b) => a - b);
  return (differences[(differences.length - 1) >> 1] ?? 1) >= 2 ? 2 : 1;
}

/** Whether b may stand next to a, as far as their numbers tell. A label that does not count tells nothing. */
export function runsOn(a: SeatNumber | undefined, b: SeatNumber | undefined, stride: 1 | 2): boolean {
  if (a === undefined || b === undefined) return true;
  return a.series === b.series && Math.abs(a.value - b.value) <= stride;
}
