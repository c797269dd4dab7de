/** What the load generator is to do. */
export interface LoadPlan {
  /** pay: seats are held first, which is not measured, and then paid for by points. */
  readonly kind: 'reserve' | 'etag' | 'pay' | 'charge';
  readonly host: string;
  readonly port: number;
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
  readonly seatsPerSchedule: number;
  readonly seatsPerRow: number;
  readonly keyPrefix: string;
  readonly etag: string;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Cores that the generator itself used: it shares them with what it measures. */
  readonly clientCpuShare: number;
  readonly requestsSent: number;
  readonly statuses: Readonly<Record<string, number>>;
}
