import type { IdempotencyMark } from '../allocator/event.ts';
import type { PerformanceId, ScheduleId, VenueId } from '../allocator/ids.ts';

/** What is sold, where and when. Created by an operator, immutable afterwards. */
export interface VenueSummary {
  readonly venueId: VenueId;
  readonly name: string;
  readonly seats: number;
}

export interface CategoryPrice {
  readonly category: string;
  readonly priceMinor: number;
}

export interface Performance {
  readonly performanceId: PerformanceId;
  readonly name: string;
  readonly venueId: VenueId;
  /** ISO 4217. */
  readonly currency: string;
  readonly prices: readonly CategoryPrice[];
  /** Live seats a user may have in one schedule; undefined = the process's default. */
  readonly seatsPerUserMax?: number;
  /** Refuse hand-picked selections that strand a single seat. */
  readonly orphanRule: boolean;
}

export interface Schedule {
  readonly scheduleId: ScheduleId;
  readonly performanceId: PerformanceId;
  readonly startsAtMs: number;
  /** Holds before this are refused; undefined = on sale at once. */
  readonly onSaleAtMs?: number;
}

/** A creation that its sender may ask for again: what its key has made. Kept for good. */
export interface CreationMark extends IdempotencyMark {
  /** Of the venue, performance or schedule; the fingerprint tells which. */
  readonly id: number;
}
