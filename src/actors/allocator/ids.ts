/**
 * Branded ids, one constructor each. A constructor returns undefined for text or a number that is not an
 * id; the edges turn that into a 400 or 404, and nothing inside checks again.
 */
declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

export type VenueId = Branded<number, 'VenueId'>;
export type PerformanceId = Branded<number, 'PerformanceId'>;
export type ScheduleId = Branded<number, 'ScheduleId'>;
export type ShardId = Branded<number, 'ShardId'>;
export type UserId = Branded<string, 'UserId'>;
export type PaymentId = Branded<string, 'PaymentId'>;
export type IdempotencyKey = Branded<string, 'IdempotencyKey'>;

/** 1-based number of a reservation within its schedule. */
export type ReservationNumber = Branded<number, 'ReservationNumber'>;

const isId = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

export const venueId = (value: number): VenueId | undefined => (isId(value) ? (value as VenueId) : undefined);
export const performanceId = (value: number): PerformanceId | undefined =>
  isId(value) ? (value as PerformanceId) : undefined;
export const scheduleId = (value: number): ScheduleId | undefined =>
  isId(value) ? (value as ScheduleId) : undefined;

const USER_ID = /^[A-Za-z0-9._:@-]{1,64}$/;
export const userId = (text: string): UserId | undefined =>
  USER_ID.test(text) ? (text as UserId) : undefined;

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
export const idempotencyKey = (text: string): IdempotencyKey | undefined =>
  IDEMPOTENCY_KEY.test(text) ? (text as IdempotencyKey) : undefined;

export interface ReservationRef {
  readonly scheduleId: ScheduleId;
  readonly number: ReservationNumber;
}

const RESERVATION_ID = /^([1-9][0-9]{0,15})-([1-9][0-9]{0,15})$/;

/** `<scheduleId>-<n>`: any node can route a reservation without a look-up. */
export function parseReservationId(text: string): ReservationRef | undefined {
  const match = RESERVATION_ID.exec(text);
  if (match === null) return undefined;
  const schedule = scheduleId(Number(match[1]));
  const number = Number(match[2]);
  if (schedule === undefined || !isId(number)) return undefined;
  return { scheduleId: schedule, number: number as ReservationNumber };
}

export const formatReservationId = (schedule: ScheduleId, number: ReservationNumber): string =>
  `${schedule}-${number}`;

/**
 * `<scheduleId>-<n>-<seq>`: a payment is named by the event that began it. That event is on disk before
 * anybody else hears of the name, so a name is never used twice.
 */
export const formatPaymentId = (schedule: ScheduleId, number: ReservationNumber, seq: number): PaymentId =>
  `${schedule}-${number}-${seq}` as PaymentId;

/** Shards of a cluster, for ever: another number would send every schedule to another shard. */
export const shardCount = 256;

/**
 * The shard of a schedule: a fixed hash, so that every node and every version agrees without a look-up.
 * Finaliser of MurmurHash3 (Appleby, public domain) over the low and high word of the id.
 */
export function shardOf(schedule: ScheduleId, shards: number): ShardId {
  let hash = (schedule >>> 0) ^ Math.imul((schedule / 0x1_0000_0000) >>> 0, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) % shards) as ShardId;
}
