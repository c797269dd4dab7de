import * as v from 'valibot';
import { coordinateSchema, finiteSchema, nameLengthMax, seatIdSchema, textSchema } from './plan-values.ts';
import { origin, type Point, plus } from './point.ts';
import { findStage, type NamedPoint, readArea } from './stage-point.ts';
import type { VenueCheck } from './venue-check.ts';

/**
 * Reads a seating plan as pretix's editor exports it into what Usher needs of it. The schema behind it
 * (src/pretix/static/seating/seating-plan.schema.json in pretix) is stricter than the plans in the field, so
 * fields that Usher does not use are never looked at, and numbers may stand where labels should. What cannot
 * be read without guessing is a fault: a seat without an id, a list that is none, a position that is not a
 * number.
 */
export interface SeatingPlan {
  readonly name: string;
  readonly zones: readonly PlanZone[];
  /** The middle of the stage, where the plan draws one. */
  readonly stage: Point | undefined;
  /** Width of the drawing, where the plan has one. */
  readonly width: number | undefined;
}

interface PlanZone {
  readonly name: string;
  readonly rows: readonly PlanRow[];
}

export interface PlanRow {
  readonly name: string;
  readonly seats: readonly PlanSeat[];
}

export interface PlanSeat {
  readonly seatId: string;
  readonly number: string;
  readonly category: string;
  /** From 0, one more after each segment break of the row. */
  readonly segment: number;
  /** Zone + row + seat; undefined for a seat without a position of its own. */
  readonly at: Point | undefined;
}

const defaultVenueName = 'Unnamed venue';
const defaultCategory = 'Standard';

const labelSchema = (lengthMax: number) =>
  v.pipe(
    v.union([v.string(), finiteSchema], 'must be text'),
    v.transform(String),
    textSchema(lengthMax),
    v.transform((label) => label.trim()),
  );
const nameLabelSchema = v.nullish(labelSchema(nameLengthMax));
const positionSchema = v.nullish(v.object({ x: coordinateSchema, y: coordinateSchema }));
const listSchema = v.array(v.unknown(), 'must be a list');

const planSchema = v.object({
  name: nameLabelSchema,
  size: v.fallback(v.optional(v.object({ width: coordinateSchema })), undefined),
  zones: listSchema,
});
const zoneSchema = v.object({
  name: nameLabelSchema,
  zone_id: v.fallback(nameLabelSchema, undefined),
  position: positionSchema,
  rows: listSchema,
  areas: v.fallback(v.optional(listSchema, []), []),
});
const rowSchema = v.object({
  row_number: nameLabelSchema,
  position: positionSchema,
  segment_breaks: v.fallback(v.optional(listSchema, []), []),
  seats: listSchema,
});
const seatSchema = v.object({
  seat_guid: seatIdSchema,
  seat_number: labelSchema(64),
  category: nameLabelSchema,
  position: positionSchema,
});

/** Undefined when the plan as a whole cannot be read; else what could be read, the rest is in the faults. */
export function readPretixPlan(input: unknown, check: VenueCheck): SeatingPlan | undefined {
  const plan = check.faults.read(planSchema, input, '');
  if (plan === undefined) return undefined;
  const areas: NamedPoint[] = [];
  const zones = plan.zones.flatMap((zone, index) => readZone(zone, index, areas, check) ?? []);
  check.finish('zones', zones.length);
  return { name: plan.name || defaultVenueName, zones, stage: findStage(areas), width: plan.size?.width };
}

function readZone(
  input: unknown,
  index: number,
  areas: NamedPoint[],
  check: VenueCheck,
): PlanZone | undefined {
  const path = `zones[${index}]`;
  const zone = check.faults.read(zoneSchema, input, path);
  if (zone === undefined) return undefined;
  const position = zone.position ?? origin;
  for (const area of zone.areas) {
    const named = readArea(area, position);
    if (named !== undefined) areas.push(named);
  }
  const rows = zone.rows.flatMap(
    (row, rowIndex) => readRow(row, rowIndex, `${path}.rows[${rowIndex}]`, position, check) ?? [],
  );
  if (rows.length === 0) return undefined;
  return { name: zone.name || zone.zone_id || `Zone ${index + 1}`, rows };
}

function readRow(
  input: unknown,
  index: number,
  path: string,
  zonePosition: Point,
  check: VenueCheck,
): PlanRow | undefined {
  const row = check.faults.read(rowSchema, input, path);
  if (row === undefined) return undefined;
  const position = plus(zonePosition, row.position ?? origin);
  const segmentStarts = new Set(row.segment_breaks.flatMap(segmentStart));
  let segment = 0;
  const seats: PlanSeat[] = [];
  for (const [seatIndex, seatInput] of row.seats.entries()) {
    const seatPath = `${path}.seats[${seatIndex}]`;
    check.countSeat();
    const seat = check.faults.read(seatSchema, seatInput, seatPath);
    if (seat === undefined) continue;
    const category = seat.category || defaultCategory;
    check.addSeat(seat.seat_guid, `${seatPath}.seat_guid`, category);
    if (seats.length > 0 && segmentStarts.has(seat.seat_number)) segment += 1;
    const at = seat.position ? plus(position, seat.position) : undefined;
    seats.push({ seatId: seat.seat_guid, number: seat.seat_number, category, segment, at });
  }
  return seats.length === 0 ? undefined : { name: row.row_number || String(index + 1), seats };
}

/** The number of the seat that begins a segment; a hint of another form is not for Usher. */
const segmentStart = (segmentBreak: unknown): string | readonly string[] =>
  typeof segmentBreak === 'string' || typeof segmentBreak === 'number' ? String(segmentBreak) : [];
