import type { VenueDraft } from './venue-draft.ts';

interface LayoutSummary {
  readonly name: string;
  /** How many of them. */
  readonly seats: number;
  readonly sections: number;
  /** Names, in the order in which the layout first has them: what a performance needs a price for. */
  readonly categories: readonly string[];
}

export function layoutSummary(layout: VenueDraft): LayoutSummary {
  const categories = importedCategories(layout);
  return {
    name: layout.name,
    seats: categories.reduce((seats, category) => seats + category.seats, 0),
    sections: layout.sections.length,
    categories: categories.map(({ category }) => category),
  };
}

interface CategoryCount {
  readonly category: string;
  readonly seats: number;
}

/** Every category of a layout with its number of seats, in the order in which the layout first has them. */
export function importedCategories(layout: VenueDraft): readonly CategoryCount[] {
  const counts = new Map<string, number>();
  for (const section of layout.sections)
    for (const row of section.rows)
      for (const { category } of row.seats) counts.set(category, (counts.get(category) ?? 0) + 1);
  return Array.from(counts, ([category, seats]) => ({ category, seats }));
}
