import type { IdempotencyKey, PerformanceId, ScheduleId, VenueId } from '../actors/allocator/ids.ts';
import type { CreationMark, Performance, Schedule } from '../actors/runtime/catalog.ts';

/** Rows of `performance`, `schedule` and `creation_mark`, in the order in which the stores select their columns. */
export type PerformanceRow = [
  performanceId: PerformanceId,
  name: string,
  venueId: VenueId,
  currency: string,
  prices: string,
  seatsPerUserMax: number | null,
  orphanRule: number,
];

export type ScheduleRow = [
  scheduleId: ScheduleId,
  performanceId: PerformanceId,
  startsAtMs: number,
  onSaleAtMs: number | null,
  available: number,
];

export type CreationMarkRow = [key: IdempotencyKey, fingerprint: number, id: number];

export const toPerformance = ([
  performanceId,
  name,
  venueId,
  currency,
  prices,
  seatsPerUserMax,
  orphanRule,
]: PerformanceRow): Performance => ({
  performanceId,
  name,
  venueId,
  currency,
  prices: JSON.parse(prices),
  ...(seatsPerUserMax !== null && { seatsPerUserMax }),
  orphanRule: orphanRule === 1,
});

export const toSchedule = ([
  scheduleId,
  performanceId,
  startsAtMs,
  onSaleAtMs,
  available,
]: ScheduleRow): Schedule & { available: number } => ({
  scheduleId,
  performanceId,
  startsAtMs,
  ...(onSaleAtMs !== null && { onSaleAtMs }),
  available,
});

export const toCreationMark = ([key, fingerprint, id]: CreationMarkRow): CreationMark => ({
  key,
  fingerprint,
  id,
});
