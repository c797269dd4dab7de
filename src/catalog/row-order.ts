import { centre, distance, type Point } from './point.ts';

/**
 * The order in which seats of a row stand beside each other, found from their positions alone: the shortest
 * of three ways to walk past them. Plans list rows out of order, number them from the middle outwards or
 * from right to left, and call tables rows; the shortest walk is right for all of them.
 *
 * 1. listed: as the plan has it.
 * 2. along: by the projection on the row's principal axis. Straight and curved rows.
 * 3. around: by the angle around the row's centre, cut open at the widest step. Round and square tables,
 *    benches with seats on both sides, rows that bend by more than half a circle.
 *
 * Of equally short ones the first. O(n log n); one order for equal input.
 */
export function physicalOrder(points: readonly Point[]): readonly number[] {
  const listed = points.map((_, index) => index);
  let shortest: readonly number[] = listed;
  let length = sum(stepsOf(points, listed));
  for (const order of [along(points, listed), around(points, listed)]) {
    const otherLength = sum(stepsOf(points, order));
    if (otherLength >= length * (1 - noise)) continue;
    shortest = order;
    length = otherLength;
  }
  return shortest;
}

/** Lengths that differ by less are equal: the difference is that of sums of floats. */
const noise = 1e-9;

/** Distance from each seat to the next. */
export function stepsOf(points: readonly Point[], order: readonly number[]): readonly number[] {
  const steps: number[] = [];
  for (let i = 1; i < order.length; i++) steps.push(distance(at(points, order[i - 1]), at(points, order[i])));
  return steps;
}

/** Of two middle values the lower: of three seats, one of two steps may be an aisle. 0 for no values. */
export function lowerMedian(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const at = (points: readonly Point[], index: number | undefined): Point => points[index as number] as Point;

function along(points: readonly Point[], listed: readonly number[]): readonly number[] {
  const middle = centre(points);
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (const point of points) {
    const x = point.x - middle.x;
    const y = point.y - middle.y;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  const axis = { x: Math.cos(angle), y: Math.sin(angle) };
  const projections = points.map((point) => point.x * axis.x + point.y * axis.y);
  return listed.toSorted((a, b) => (projections[a] as number) - (projections[b] as number));
}

function around(points: readonly Point[], listed: readonly number[]): readonly number[] {
  const middle = centre(points);
  const angles = points.map((point) => Math.atan2(point.y - middle.y, point.x - middle.x));
  const ring = listed.toSorted((a, b) => (angles[a] as number) - (angles[b] as number));
  return cutAtWidestStep(points, ring);
}

/**
 * Steps within half a step of the widest count as wide. Of several, the one beside the seat that the plan
 * lists first; of the two beside that seat, the one to the seat that it lists later.
 */
function cutAtWidestStep(points: readonly Point[], ring: readonly number[]): readonly number[] {
  const steps = stepsOf(points, [ring[ring.length - 1] as number, ...ring]);
  const wide = steps.reduce((a, b) => Math.max(a, b), 0) - lowerMedian(steps) / 2;
  const beside = (cut: number): [number, number] => {
    const before = ring[(cut + ring.length - 1) % ring.length] as number;
    const after = ring[cut] as number;
    return [Math.min(before, after), -Math.max(before, after)];
  };
  let best = -1;
  for (let cut = 0; cut < ring.length; cut++) {
    if ((steps[cut] as number) < wide) continue;
    if (best === -1 || isBefore(beside(cut), beside(best))) best = cut;
  }
  return [...ring.slice(best), ...ring.slice(0, best)];
}

const isBefore = (a: readonly [number, number], b: readonly [number, number]): boolean =>
  a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
