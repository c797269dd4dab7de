import * as v from 'valibot';
import {
  type PerformanceId,
  parseReservationId,
  performanceId,
  type ReservationRef,
  type ScheduleId,
  type ShardId,
  scheduleId,
  shardCount,
  type UserId,
  userId,
  type VenueId,
  venueId,
} from '../../actors/allocator/ids.ts';
import { paymentMethods } from '../../actors/allocator/payment.ts';
import { reservationStatuses } from '../../actors/allocator/reservation.ts';
import { parseTimestamp } from '../answer/timestamp.ts';

/**
 * The fields that requests are made of. Their messages read as a sentence after the field's path, and their
 * metadata is what the OpenAPI file says of the text or number that arrives.
 */

const isId = 'must be an integer of 1 or more';
const idShape = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [1] };

/** Text that becomes a value, or a fault. */
const parsedText = <T>(
  parse: (text: string) => T | undefined,
  message: string,
  shape: Readonly<Record<string, unknown>>,
) =>
  v.pipe(
    v.string('must be text'),
    v.metadata(shape),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message });
      return NEVER;
    }),
  );

const DECIMAL = /^[1-9][0-9]{0,15}$/;
const parseDecimal =
  <T>(construct: (value: number) => T | undefined) =>
  (text: string): T | undefined =>
    DECIMAL.test(text) ? construct(Number(text)) : undefined;

/** Ids in a path or a query; a reservation's is the same text in a body. */
export const venueIdText = parsedText<VenueId>(parseDecimal(venueId), isId, idShape);
export const performanceIdText = parsedText<PerformanceId>(parseDecimal(performanceId), isId, idShape);
export const scheduleIdText = parsedText<ScheduleId>(parseDecimal(scheduleId), isId, idShape);
export const reservationIdText = parsedText<ReservationRef>(
  parseReservationId,
  'must be a reservation id, as in 12-3',
  { pattern: '^[1-9][0-9]*-[1-9][0-9]*$', examples: ['1-1'] },
);

export const integerText = (min: number, max: number) =>
  parsedText<number>(
    (text) => {
      const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
    `must be an integer from ${min} to ${max}`,
    { type: 'integer', minimum: min, maximum: max },
  );

export const integer = (min: number, max: number) => {
  const message = `must be an integer from ${min} to ${max}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
};

const idNumber = v.pipe(v.number(isId), v.safeInteger(isId), v.minValue(1, isId), v.metadata(idShape));

/** Ids in a body. */
export const venueIdField = v.pipe(
  idNumber,
  v.transform((value) => value as VenueId),
);
export const performanceIdField = v.pipe(
  idNumber,
  v.transform((value) => value as PerformanceId),
);
export const scheduleIdField = v.pipe(
  idNumber,
  v.transform((value) => value as ScheduleId),
);

export const shardIdField = v.pipe(
  integer(0, shardCount - 1),
  v.transform((value) => value as ShardId),
);

export const nodeIdField = v.pipe(
  v.string('must be text'),
  v.regex(/^[A-Za-z0-9._-]{1,64}$/, 'must have 1 to 64 of A–Z a–z 0–9 . _ -'),
  v.metadata({ examples: ['node-2'] }),
);

export const whyField = v.pipe(
  v.string('must be text'),
  v.regex(/^[^\p{C}\p{Zl}\p{Zp}]{0,500}$/u, 'must have at most 500 printable characters'),
  v.description('For the audit log'),
);

export const userIdField = parsedText<UserId>(userId, 'must have 1 to 64 of A–Z a–z 0–9 . _ : @ -', {
  pattern: '^[A-Za-z0-9._:@-]{1,64}$',
  examples: ['ada'],
});

export const timestampField = parsedText<number>(
  parseTimestamp,
  'must be a time as in 2026-12-01T11:00:00Z',
  { format: 'date-time', examples: ['2026-12-01T11:00:00.000Z'] },
);

/** Printable: no control or format characters, no line ends, no half of a surrogate pair. */
const SEAT_ID = /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u;
export const seatIdField = v.pipe(
  v.string('must be text'),
  v.regex(SEAT_ID, 'must have 1 to 64 printable characters'),
);

const NAME = /^(?=.*\S)[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u;
export const nameField = v.pipe(
  v.string('must be text'),
  v.regex(NAME, 'must have 1 to 200 printable characters, not only spaces'),
);

export const currencyField = v.pipe(
  v.string('must be text'),
  v.regex(/^[A-Z]{3}$/, 'must be a currency code, as in EUR'),
  v.metadata({ examples: ['EUR'] }),
);

export const statusField = v.picklist(
  reservationStatuses,
  `must be one of ${reservationStatuses.join(', ')}`,
);

export const methodField = v.picklist(paymentMethods, `must be one of ${paymentMethods.join(', ')}`);

export const cardTokenField = v.pipe(
  v.string('must be text'),
  v.regex(/^[\x21-\x7e]{1,255}$/, 'must have 1 to 255 visible ASCII characters'),
  v.description('The gateway’s name for the card; with `card`, and only then'),
);

export const booleanField = v.boolean('must be true or false');

export const listOf = <const Item extends v.GenericSchema>(item: Item, min: number, max: number) =>
  v.pipe(
    v.array(item, 'must be a list'),
    v.minLength(min, `must have at least ${min} element${min === 1 ? '' : 's'}`),
    v.maxLength(max, `must have at most ${max} elements`),
  );
