import { BatchRefused } from './book.ts';
import type { OperationResult } from './operation.ts';

/**
 * What a thread answers to a batch. 'refused' is a BatchRefused: a class would lose its name on the way to the
 * main thread. Any other failure is thrown.
 */
export type Applied =
  | { readonly kind: 'applied'; readonly results: readonly OperationResult[] }
  | { readonly kind: 'refused'; readonly message: string };

/** Throws BatchRefused. */
export function resultsOf(applied: Applied): readonly OperationResult[] {
  if (applied.kind === 'refused') throw new BatchRefused(applied.message);
  return applied.results;
}
