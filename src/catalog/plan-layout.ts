import type { LayoutRow, LayoutSeat, LayoutSection } from '../actors/allocator/venue-layout.ts';
import { DistinctNames } from './distinct-names.ts';
import { centre, distance, type Point, rounded } from './point.ts';
import type { PlanRow, PlanSeat, SeatingPlan } from './pretix-plan.ts';
import { gapsOf, hallPitch, type RowWalk, walkRow } from './row-adjacency.ts';
import type { VenueDraft } from './venue-draft.ts';

/**
 * A seating plan as a venue: zones become sections, tables become rows. Sections and rows keep the order of
 * the plan; the seats of a row stand in their physical order, and adjacency is settled here for good.
 */
export function toLayout(plan: SeatingPlan): VenueDraft {
  const walks = new Map(plan.zones.flatMap((zone) => zone.rows.map((row) => [row, walkRow(row.seats)])));
  const pitch = hallPitch([...walks.values()]);
  const stage = plan.stage ?? topEdgeMiddle(plan);
  const sectionNames = new DistinctNames();
  const sections = plan.zones.map((zone): LayoutSection => {
    const rowNames = new DistinctNames();
    return {
      name: sectionNames.take(zone.name),
      rows: zone.rows.map((row) =>
        toLayoutRow(rowNames.take(row.name), row, walks.get(row) as RowWalk, pitch, stage),
      ),
    };
  });
  return { name: plan.name, sections };
}

function toLayoutRow(
  name: string,
  row: PlanRow,
  walk: RowWalk,
  hallPitch: number,
  stage: Point | undefined,
): LayoutRow {
  const gaps = gapsOf(row.seats, walk, hallPitch);
  const seats = walk.order.map((index, place) =>
    toLayoutSeat(row.seats[index] as PlanSeat, gaps[place] === true),
  );
  const points = row.seats.flatMap((seat) => seat.at ?? []);
  if (stage === undefined || points.length === 0) return { name, seats };
  return { name, stageDistance: rounded(distance(stage, centre(points))), seats };
}

const toLayoutSeat = ({ seatId, number, category, at }: PlanSeat, hasGapAfter: boolean): LayoutSeat => ({
  seatId,
  number,
  category,
  ...(hasGapAfter && { gapAfter: true }),
  ...(at !== undefined && { x: rounded(at.x), y: rounded(at.y) }),
});

/** A drawing without a stage is taken to look upwards. Undefined when no seat has a position. */
function topEdgeMiddle(plan: SeatingPlan): Point | undefined {
  let left = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  for (const { rows } of plan.zones) {
    for (const { seats } of rows) {
      for (const { at } of seats) {
        if (at === undefined) continue;
        left = Math.min(left, at.x);
        right = Math.max(right, at.x);
        top = Math.min(top, at.y);
      }
    }
  }
  if (left === Number.POSITIVE_INFINITY) return undefined;
  if (plan.width !== undefined && plan.width > 0) return { x: plan.width / 2, y: Math.min(0, top) };
  return { x: (left + right) / 2, y: top };
}
