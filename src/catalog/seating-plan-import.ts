import type { Fault } from './import-fault.ts';
import { readOwnLayout } from './own-layout.ts';
import { toLayout } from './plan-layout.ts';
import { readPretixPlan } from './pretix-plan.ts';
import { VenueCheck } from './venue-check.ts';
import type { VenueDraft } from './venue-draft.ts';

type ImportResult = { readonly layout: VenueDraft } | RefusedImport;

export interface RefusedImport {
  /** At most faultsListedMax: what holds for the document as a whole, then the others in its order. */
  readonly faults: readonly Fault[];
  /** All of them, listed or not. */
  readonly faultsTotal: number;
}

/**
 * A venue from a parsed JSON document: a seating plan of pretix's editor, or a layout in Usher's own form.
 * They are told apart by shape: a plan has `zones`, a layout has `sections`. All or nothing; never throws
 * on anything that JSON.parse returns, and takes time in proportion to the document.
 */
export function importSeatingPlan(input: unknown): ImportResult {
  const check = new VenueCheck();
  const layout = readDocument(input, check);
  const { listed, total } = check.faults;
  return layout !== undefined && total === 0 ? { layout } : { faults: listed, faultsTotal: total };
}

function readDocument(input: unknown, check: VenueCheck): VenueDraft | undefined {
  if (has(input, 'zones')) {
    const plan = readPretixPlan(input, check);
    return plan === undefined || check.faults.total > 0 ? undefined : toLayout(plan);
  }
  if (has(input, 'sections')) return readOwnLayout(input, check);
  check.faults.add('', 'must be a seating plan, which has `zones`, or a layout, which has `sections`');
  return undefined;
}

const has = (input: unknown, key: string): boolean =>
  typeof input === 'object' && input !== null && Object.hasOwn(input, key);
