/** What a store tells of itself, read when somebody scrapes. */
export interface StoreStats {
  /** Committed events that the projections do not show yet, without those of stopped schedules. */
  readonly projectionLagEvents: number;
  /** Committed events that are not published yet. */
  readonly unpublishedEvents: number;
  /** Empty where there are no connections. */
  readonly pools: readonly PoolStats[];
}

export interface PoolStats {
  readonly pool: string;
  readonly connectionsMax: number;
  readonly inUse: number;
  readonly waiting: number;
  /** Waits that were given up. */
  readonly timeouts: number;
  readonly gets: number;
  /** Summed over all gets, the ones that waited for nothing included. */
  readonly getSeconds: number;
}
