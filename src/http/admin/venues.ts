import type { VenueLayout } from '../../actors/allocator/venue-layout.ts';
import type { CatalogService } from '../../actors/runtime/allocator-service.ts';
import { type FieldError, Problem } from '../answer/problem.ts';
import type { AdminRoutes } from '../routes/admin-routes.ts';
import type { Endpoint } from '../routes/route.ts';
import { answerCreation } from './creation.ts';

type VenueDraft = Omit<VenueLayout, 'venueId'>;

/** What this port needs of the importer of venues; compose.ts brings it. */
export interface VenueImport {
  importSeatingPlan(
    input: unknown,
  ):
    | { readonly layout: VenueDraft }
    | { readonly faults: readonly FieldError[]; readonly faultsTotal: number };
  layoutSummary(layout: VenueDraft): LayoutSummary;
}

interface LayoutSummary {
  readonly name: string;
  readonly seats: number;
  readonly sections: number;
  readonly categories: readonly string[];
}

/** POST /admin/venues */
export function createVenue(
  catalog: CatalogService,
  { importSeatingPlan, layoutSummary }: VenueImport,
): Endpoint<AdminRoutes['createVenue']> {
  return async ({ body, idempotencyKey: key }) => {
    const imported = importSeatingPlan(body);
    if ('faults' in imported) {
      const { faults, faultsTotal } = imported;
      const detail = `The venue has ${faultsTotal} fault${faultsTotal === 1 ? '' : 's'}.`;
      return new Problem('invalid-request', detail, { errors: faults, errorsTotal: faultsTotal });
    }
    const { name, seats, sections, categories } = layoutSummary(imported.layout);
    return answerCreation(catalog, {
      key,
      kind: 'venue',
      body,
      create: (mark) => catalog.createVenue(imported.layout, mark),
      show: (venueId) => ({ venueId, name, seats, sections, categories }),
    });
  };
}
