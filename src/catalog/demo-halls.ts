import type { LayoutRow, LayoutSeat, LayoutSection } from '../actors/allocator/venue-layout.ts';
import { arcCurve, type Curve, lineCurve, placesAlong, seatsThatFit } from './hall-geometry.ts';
import { centre, distance, type Point } from './point.ts';
import type { VenueDraft } from './venue-draft.ts';

/**
 * The two halls of the demo, made by rule: the same seats on every machine. Both are drawn to scale, so that
 * adjacency and the distance from the stage are what they look like.
 */

interface SeatRun {
  readonly places: readonly Point[];
  readonly category: string;
}

/** Runs are divided by aisles; seats are numbered through. */
function seatRow(name: string, idPrefix: string, stage: Point, runs: readonly SeatRun[]): LayoutRow {
  const seats: LayoutSeat[] = [];
  for (const [runIndex, { places, category }] of runs.entries()) {
    for (const [index, { x, y }] of places.entries()) {
      const number = String(seats.length + 1);
      const isBeforeAisle = index === places.length - 1 && runIndex < runs.length - 1;
      const seat = { seatId: `${idPrefix}-${number}`, number, category, x: tenth(x), y: tenth(y) };
      seats.push(isBeforeAisle ? { ...seat, gapAfter: true } : seat);
    }
  }
  const middle = centre(runs.flatMap((run) => run.places));
  return { name, stageDistance: tenth(distance(stage, middle)), seats };
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
const degrees = (angle: number): number => (angle * Math.PI) / 180;

// The theatre fans out from a stage at the top. One unit is 2.5 cm.

const theatreStage: Point = { x: 1100, y: 130 };
/** Where the rows curve around. */
const theatreFocus: Point = { x: 1100, y: -420 };
const theatreSeatPitch = 22;
const theatreAisle = 44;
const stallsEdge = 28;
/** As on the doors of old houses: no I, and no O. */
const ROW_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const crossAisleBefore = ROW_LETTERS.indexOf('N');
const boxSeats = [6, 5, 5, 5, 5, 4];
const boxPitch = 145;

/** About 1,900 seats: stalls with two aisles, boxes along both walls, a circle behind. */
export function theatreHall(): VenueDraft {
  return { name: 'Grand Theatre', sections: [stalls(), boxes(), circle()] };
}

function stalls(): LayoutSection {
  const rows = Array.from(ROW_LETTERS, (letter, index) => {
    const radius = 640 + index * 35 + (index >= crossAisleBefore ? 40 : 0);
    const isPremium = letter >= 'C' && letter <= 'L';
    return theatreRow(letter, `ST-${letter}`, radius, [-stallsEdge, -9.5, 9.5, stallsEdge], (run) =>
      isPremium && run === 1 ? 'Premium' : 'Stalls',
    );
  });
  return { name: 'Stalls', rows };
}

function circle(): LayoutSection {
  const rows = Array.from(ROW_LETTERS.slice(0, 11), (letter, index) =>
    theatreRow(letter, `CI-${letter}`, 1630 + index * 36, [-32, -19.5, -6.5, 6.5, 19.5, 32], () =>
      letter <= 'D' ? 'Circle' : 'Balcony',
    ),
  );
  return { name: 'Circle', rows };
}

/** Along the walls, from the stage to the back: odd numbers on the left, even ones on the right. */
function boxes(): LayoutSection {
  const rows = boxSeats.flatMap((count, index) =>
    [-1, 1].map((side) => {
      const number = 2 * index + (side === -1 ? 1 : 2);
      const front = 690 + index * boxPitch;
      const wall = lineCurve(wallPoint(side, front), wallPoint(side, front + boxPitch));
      const places = placesAlong(wall, theatreSeatPitch, count);
      return seatRow(`Box ${number}`, `BOX-${number}`, theatreStage, [{ places, category: 'Box' }]);
    }),
  );
  return { name: 'Boxes', rows };
}

/** A point of the left (-1) or right (1) wall, which runs beside the edge of the stalls. */
function wallPoint(side: number, radius: number): Point {
  const angle = degrees(stallsEdge);
  const walkway = 75;
  return {
    x: theatreFocus.x + side * (radius * Math.sin(angle) + walkway * Math.cos(angle)),
    y: theatreFocus.y + radius * Math.cos(angle) - walkway * Math.sin(angle),
  };
}

/** `edges`: the row's ends and its aisles, in degrees from the middle, left to right. */
function theatreRow(
  name: string,
  idPrefix: string,
  radius: number,
  edges: readonly number[],
  categoryOf: (run: number) => string,
): LayoutRow {
  const runs = edges.slice(1).map((right, run): SeatRun => {
    const left = edges[run] as number;
    const curve = arcCurve(theatreFocus, radius, degrees(90 - left), degrees(90 - right));
    const count = seatsThatFit(curve, theatreSeatPitch, theatreAisle);
    return { places: placesAlong(curve, theatreSeatPitch, count), category: categoryOf(run) };
  });
  return seatRow(name, idPrefix, theatreStage, runs);
}

// The stadium is a bowl of three tiers around a pitch. One unit is 10 cm.

const stadiumSeats = 50_000;
const pitchCentre: Point = { x: 1320, y: 1120 };
/** The bowl is a rectangle with round corners: half the length of its straight sides, and the radius. */
const straightX = 480;
const straightY = 280;
const cornerRadius = 140;
const stadiumSeatPitch = 5;
const stadiumRowPitch = 8;
const stadiumAisle = 13;

const tiers = [
  { number: 1, name: 'Lower', firstRow: 0, rows: 30, blocksPerCorner: 2 },
  { number: 2, name: 'Club', firstRow: 290, rows: 8, blocksPerCorner: 2 },
  { number: 3, name: 'Upper', firstRow: 402, rows: 12, blocksPerCorner: 3 },
] as const;
type Tier = (typeof tiers)[number];

/** Dearest first; by the distance of a row's middle from the middle of the pitch. */
const stadiumCategories = [
  { name: 'Category 1', distanceMax: 680 },
  { name: 'Category 2', distanceMax: 880 },
  { name: 'Category 3', distanceMax: 1080 },
  { name: 'Category 4', distanceMax: Number.POSITIVE_INFINITY },
] as const;

/** Exactly 50,000 seats: whatever the tiers leave of them stands in the last row of the last tier. */
export function stadiumHall(): VenueDraft {
  let remaining = stadiumSeats;
  const blocks = tiers.flatMap((tier) =>
    Array.from({ length: blockCurves(tier, 0).length }, (_, block) => {
      const rows = Array.from({ length: tier.rows }, (_, row) => {
        const curve = blockCurves(tier, row)[block] as Curve;
        return stadiumRow(tier, block, row, curve, seatsThatFit(curve, stadiumSeatPitch, stadiumAisle));
      });
      remaining -= rows.reduce((seats, row) => seats + row.seats.length, 0);
      return { tier, block, rows };
    }),
  );
  const lastTier = tiers[tiers.length - 1] as Tier;
  const lastBlocks = blocks.filter(({ tier }) => tier === lastTier);
  for (const { tier, block, rows } of lastBlocks) {
    const count = Math.ceil(remaining / (lastBlocks.length - block));
    rows.push(stadiumRow(tier, block, tier.rows, blockCurves(tier, tier.rows)[block] as Curve, count));
    remaining -= count;
  }
  const sections = blocks.map(({ tier, block, rows }) => ({
    name: `${tier.name} ${blockNumber(tier, block)}`,
    rows,
  }));
  return { name: 'City Stadium', sections };
}

const blockNumber = (tier: Tier, block: number): number => tier.number * 100 + block + 1;

function stadiumRow(tier: Tier, block: number, row: number, curve: Curve, count: number): LayoutRow {
  const places = placesAlong(curve, stadiumSeatPitch, count);
  const fromCentre = distance(pitchCentre, centre(places));
  const category = stadiumCategories.find(({ distanceMax }) => fromCentre <= distanceMax)?.name as string;
  const name = String(row + 1);
  return seatRow(name, `${blockNumber(tier, block)}-${name}`, pitchCentre, [{ places, category }]);
}

/** One row of a tier all around, a curve a block, clockwise from the left end of the upper side. */
function blockCurves(tier: Tier, row: number): readonly Curve[] {
  const radius = cornerRadius + tier.firstRow + row * stadiumRowPitch;
  const corner = (x: number, y: number): Point => ({ x: pitchCentre.x + x, y: pitchCentre.y + y });
  const corners = [
    corner(straightX, -straightY),
    corner(straightX, straightY),
    corner(-straightX, straightY),
    corner(-straightX, -straightY),
  ];
  return corners.flatMap((centreOfArc, index) => {
    const outwards = degrees(index * 90 - 90);
    const shift = { x: Math.cos(outwards) * radius, y: Math.sin(outwards) * radius };
    const from = corners[(index + 3) % 4] as Point;
    const side = lineCurve(
      { x: from.x + shift.x, y: from.y + shift.y },
      { x: centreOfArc.x + shift.x, y: centreOfArc.y + shift.y },
    );
    const arc = arcCurve(centreOfArc, radius, outwards, outwards + degrees(90));
    return [...divide(side, index % 2 === 0 ? 5 : 3), ...divide(arc, tier.blocksPerCorner)];
  });
}

const divide = (curve: Curve, parts: number): readonly Curve[] =>
  Array.from({ length: parts }, (_, part) => ({
    length: curve.length / parts,
    at: (distance) => curve.at((curve.length * part) / parts + distance),
  }));
