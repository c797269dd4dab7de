import type { OperationResult } from '../operation.ts';

/**
 * MySQL gives an entry its number when it is inserted, after the batch has been decided. Until then the entries of
 * a batch are numbered from here, below 0, so that nobody takes such a number for one that is stored.
 */
export const entryIdBeforeProvisional = -1_000_000_000;

/** 0 for the first entry of its batch; undefined for the number of an entry that is stored. */
export const placeInBatch = (entryId: number): number | undefined =>
  entryId < 0 ? entryId - entryIdBeforeProvisional - 1 : undefined;

/** @param firstEntryId what the first entry of the batch has got; those after it follow. */
export const withStoredEntryIds = (
  results: readonly OperationResult[],
  firstEntryId: number,
): readonly OperationResult[] =>
  results.map((result) => {
    if (!('entryId' in result)) return result;
    const place = placeInBatch(result.entryId);
    return place === undefined ? result : { ...result, entryId: firstEntryId + place };
  });
