/** What the load generator is to do. */
export interface LoadPlan {
  /**
   * pay: seats are held first, which is not measured, and then paid for by points. etag and seats: the free seats,
   * which the client has already or gets.
   */
  readonly kind: 'reserve' | 'etag' | 'seats' | 'pay' | 'charge';
  readonly host: string;
  readonly port: number;
  /** As behind a balancer that knows nothing: connections go to these in turn. Default: all to `port`. */
  readonly ports?: readonly number[];
  readonly path: string;
  /** Of `pay`: where the seats are held, and how many reservations of one seat are made. */
  readonly holdPath?: string;
  readonly holds?: number;
  /** Requests a second, spread evenly; absent: as many as the connections bear. */
  readonly ratePerSecond?: number;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly tokens: readonly string[];
  /** Seats are taken one by one, schedule after schedule; each is named R<row>-<seat>. */
  readonly scheduleIds: readonly number[];
  /** Each request takes a seat of another schedule instead, in an order that fits no order of the connections. */
  readonly isSpread?: boolean;
  /** The seats of so many requests have been taken before. Default 0. */
  readonly skippedRequests?: number;
  readonly seatsPerSchedule: number;
  readonly seatsPerRow: number;
  readonly keyPrefix: string;
  readonly etag: string;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Cores that the generator itself used: it shares them with what it measures. */
  readonly clientCpuShare: number;
  /** Warm-up included, and what was skipped not. */
  readonly requestsSent: number;
  readonly statuses: Readonly<Record<string, number>>;
}
