/** A place in a plan, in the plan's own unit; y grows downwards. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export const origin: Point = { x: 0, y: 0 };

export const plus = (a: Point, b: Point): Point => ({ x: a.x + b.x, y: a.y + b.y });

export const distance = (a: Point, b: Point): number => Math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2);

/** Mean of one or more points. */
export function centre(points: readonly Point[]): Point {
  let x = 0;
  let y = 0;
  for (const point of points) {
    x += point.x;
    y += point.y;
  }
  return { x: x / points.length, y: y / points.length };
}

/** To a thousandth of the unit: what is stored and drawn, free of the noise of sums of floats. */
export const rounded = (value: number): number => Math.round(value * 1000) / 1000 + 0;
