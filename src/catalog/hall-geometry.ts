import type { Point } from './point.ts';

/** A line that seats stand along, by the distance from its start. */
export interface Curve {
  readonly length: number;
  at(distance: number): Point;
}

export function lineCurve(from: Point, to: Point): Curve {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  return {
    length,
    at: (distance) => ({
      x: from.x + ((to.x - from.x) * distance) / length,
      y: from.y + ((to.y - from.y) * distance) / length,
    }),
  };
}

/** Angles in radians, 0 to the right, growing as the hands of a clock turn (y grows downwards). */
export function arcCurve(centre: Point, radius: number, fromAngle: number, toAngle: number): Curve {
  const length = Math.abs(toAngle - fromAngle) * radius;
  return {
    length,
    at: (distance) => {
      const angle = fromAngle + ((toAngle - fromAngle) * distance) / length;
      return { x: centre.x + radius * Math.cos(angle), y: centre.y + radius * Math.sin(angle) };
    },
  };
}

/** How many seats fit on the curve when half an aisle is left free at each end. */
export const seatsThatFit = (curve: Curve, pitch: number, aisle: number): number =>
  Math.max(0, Math.floor((curve.length - aisle) / pitch));

/** Places for `count` seats in the middle of the curve. */
export const placesAlong = (curve: Curve, pitch: number, count: number): readonly Point[] =>
  Array.from({ length: count }, (_, i) => curve.at(curve.length / 2 + (i - (count - 1) / 2) * pitch));
