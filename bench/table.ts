import type { Spread } from './spread.ts';

/** A line of the table that a run prints. */
export interface Row {
  readonly what: string;
  readonly figure: string;
  readonly spread: string;
  readonly target: string;
}

export const show = ({ min, median, max }: Spread, digits: number, unit = '') => ({
  figure: `${median.toFixed(digits)}${unit}`,
  spread: `${min.toFixed(digits)} – ${max.toFixed(digits)}`,
});

/** A figure that was taken once. */
export const row = (what: string, figure: string, target = '–'): Row => ({
  what,
  figure,
  spread: '–',
  target,
});
