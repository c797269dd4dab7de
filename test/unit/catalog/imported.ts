import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { importSeatingPlan, type RefusedImport } from '../../../src/catalog/seating-plan-import.ts';
import type { VenueDraft } from '../../../src/catalog/venue-draft.ts';

export const readPlan = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/plans/${name}.json`, import.meta.url), 'utf8'));

export function imported(input: unknown): VenueDraft {
  const result = importSeatingPlan(input);
  if ('faults' in result) expect.fail(`refused: ${JSON.stringify(result.faults)}`);
  return result.layout;
}

export function refused(input: unknown): RefusedImport {
  const result = importSeatingPlan(input);
  if ('layout' in result) expect.fail('imported');
  return result;
}
