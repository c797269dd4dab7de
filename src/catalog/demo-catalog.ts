import type { Performance, Schedule } from '../actors/runtime/catalog.ts';
import { stadiumHall, theatreHall } from './demo-halls.ts';
import type { VenueDraft } from './venue-draft.ts';

/** What the demo seeds into an empty store: a venue each, its performance, and the schedules of that. */
export interface DemoPerformance extends Omit<Performance, 'performanceId' | 'venueId'> {
  readonly hall: () => VenueDraft;
  readonly schedules: readonly Omit<Schedule, 'scheduleId' | 'performanceId'>[];
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** All on sale at once but one schedule in ten minutes, which shows what `not-on-sale` looks like. */
export function demoCatalog(nowMs: number): readonly DemoPerformance[] {
  const midnightMs = Math.floor(nowMs / dayMs) * dayMs;
  const startsAtMs = (days: number, hours: number): number => midnightMs + days * dayMs + hours * hourMs;
  return [
    {
      name: 'The Tempest',
      hall: theatreHall,
      currency: 'EUR',
      orphanRule: false,
      prices: [
        { category: 'Premium', priceMinor: 9_500 },
        { category: 'Stalls', priceMinor: 6_500 },
        { category: 'Box', priceMinor: 8_000 },
        { category: 'Circle', priceMinor: 5_500 },
        { category: 'Balcony', priceMinor: 3_500 },
      ],
      schedules: [
        { startsAtMs: startsAtMs(7, 19.5) },
        { startsAtMs: startsAtMs(8, 14.5) },
        { startsAtMs: startsAtMs(8, 19.5), onSaleAtMs: nowMs + 10 * minuteMs },
      ],
    },
    {
      name: 'City Final',
      hall: stadiumHall,
      currency: 'EUR',
      orphanRule: false,
      prices: [
        { category: 'Category 1', priceMinor: 12_000 },
        { category: 'Category 2', priceMinor: 8_500 },
        { category: 'Category 3', priceMinor: 6_000 },
        { category: 'Category 4', priceMinor: 4_000 },
      ],
      schedules: [{ startsAtMs: startsAtMs(14, 20) }, { startsAtMs: startsAtMs(15, 20) }],
    },
  ];
}
