import type { LayoutRow } from '../../../src/actors/allocator/venue-layout.ts';
import type { VenueDraft } from '../../../src/catalog/venue-draft.ts';

/** Numbers of a row's seats as they stand, with a bar at each gap: `1 2 | 3 4`. */
export const groupsOf = (row: LayoutRow): string =>
  row.seats.map(({ number, gapAfter }) => (gapAfter === true ? `${number} |` : number)).join(' ');

/** All rows of a layout by `section/row`. */
export const groupsByRow = (layout: VenueDraft): Record<string, string> =>
  Object.fromEntries(
    layout.sections.flatMap((section) =>
      section.rows.map((row) => [`${section.name}/${row.name}`, groupsOf(row)]),
    ),
  );
