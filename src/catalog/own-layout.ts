import * as v from 'valibot';
import type { LayoutRow, LayoutSeat, LayoutSection } from '../actors/allocator/venue-layout.ts';
import type { FaultList } from './import-fault.ts';
import { coordinateSchema, finiteSchema, nameSchema, seatIdSchema, textSchema } from './plan-values.ts';
import type { VenueCheck } from './venue-check.ts';
import type { VenueDraft } from './venue-draft.ts';

/**
 * Usher's own layout: the venue as it is stored, written by somebody's program. Adjacency is in it, so
 * nothing is guessed, and a field that is not known is refused: it would be a misspelt one.
 */
const listSchema = v.pipe(
  v.array(v.unknown(), 'must be a list'),
  v.minLength(1, 'must have at least one element'),
);

const layoutSchema = v.strictObject({ name: nameSchema, sections: v.array(v.unknown(), 'must be a list') });
const sectionSchema = v.strictObject({ name: nameSchema, rows: listSchema });
const rowSchema = v.strictObject({
  name: nameSchema,
  stageDistance: v.optional(v.pipe(finiteSchema, v.minValue(0, 'must be at least 0'))),
  seats: listSchema,
});
const seatSchema = v.strictObject({
  seatId: seatIdSchema,
  number: textSchema(64),
  category: nameSchema,
  gapAfter: v.optional(v.boolean('must be true or false')),
  x: v.optional(coordinateSchema),
  y: v.optional(coordinateSchema),
});

/** What could be read; whether that is all of it, the faults tell. */
export function readOwnLayout(input: unknown, check: VenueCheck): VenueDraft | undefined {
  const layout = check.faults.read(layoutSchema, input, '');
  if (layout === undefined) return undefined;
  const names = new UniqueNames(check.faults);
  const sections = layout.sections.flatMap(
    (section, index) => readSection(section, `sections[${index}]`, names, check) ?? [],
  );
  check.finish('sections', layout.sections.length);
  return { name: layout.name, sections };
}

function readSection(
  input: unknown,
  path: string,
  names: UniqueNames,
  check: VenueCheck,
): LayoutSection | undefined {
  const section = check.faults.read(sectionSchema, input, path);
  if (section === undefined) return undefined;
  names.add(section.name, path);
  const rowNames = new UniqueNames(check.faults);
  const rows = section.rows.flatMap(
    (row, index) => readRow(row, `${path}.rows[${index}]`, rowNames, check) ?? [],
  );
  return { name: section.name, rows };
}

function readRow(input: unknown, path: string, names: UniqueNames, check: VenueCheck): LayoutRow | undefined {
  const row = check.faults.read(rowSchema, input, path);
  if (row === undefined) return undefined;
  const { name, stageDistance } = row;
  names.add(name, path);
  const seats = row.seats.flatMap((seat, index) => readSeat(seat, `${path}.seats[${index}]`, check) ?? []);
  return { name, ...(stageDistance !== undefined && { stageDistance }), seats };
}

function readSeat(input: unknown, path: string, check: VenueCheck): LayoutSeat | undefined {
  check.countSeat();
  const seat = check.faults.read(seatSchema, input, path);
  if (seat === undefined) return undefined;
  const { seatId, number, category, gapAfter, x, y } = seat;
  check.addSeat(seatId, `${path}.seatId`, category);
  return {
    seatId,
    number,
    category,
    ...(gapAfter === true && { gapAfter: true }),
    ...(x !== undefined && { x }),
    ...(y !== undefined && { y }),
  };
}

class UniqueNames {
  readonly #faults: FaultList;
  readonly #pathByName = new Map<string, string>();

  constructor(faults: FaultList) {
    this.#faults = faults;
  }

  add(name: string, path: string): void {
    const earlier = this.#pathByName.get(name);
    if (earlier === undefined) this.#pathByName.set(name, path);
    else this.#faults.add(`${path}.name`, `must be unique, and that of ${earlier} is the same`);
  }
}
