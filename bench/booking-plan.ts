/** What the people of booking-client.ts are to do. */
export interface BookingPlan {
  readonly host: string;
  readonly port: number;
  readonly seconds: number;
  /** In all, spread evenly. */
  readonly requestsPerSecond: number;
  readonly peopleAtOnce: number;
  readonly tokens: readonly string[];
  readonly performanceId: number;
  readonly scheduleIds: readonly number[];
  readonly keyPrefix: string;
}

export interface BookingResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** Answers by call and status. */
  readonly statuses: Readonly<Record<string, number>>;
}
