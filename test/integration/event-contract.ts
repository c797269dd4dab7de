import * as v from 'valibot';
import type { ReadMessage } from './topic-reader.ts';

/** API.md on events, by nothing of src. */
export const reservationTopic = 'reservation-topic';
export const seatReservedTopic = 'seat-reserved-topic';

const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const instant = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
const seatIds = v.pipe(v.array(v.string()), v.minLength(1));
const reservation = { reservationId: v.string(), userId: v.string() };

const dataOf: Readonly<Record<string, v.GenericSchema>> = {
  'usher.seat.reserved': v.strictObject({
    scheduleId: positive,
    seq: positive,
    ...reservation,
    seatIds,
    totalMinor: v.number(),
    currency: v.literal('EUR'),
    expiresAt: instant,
  }),
  ...Object.fromEntries(
    ['held', 'extended', 'paying', 'paid', 'payment-failed', 'cancelled', 'expired'].map((name) => [
      `usher.reservation.${name}`,
      v.looseObject({ scheduleId: positive, seq: positive, ...reservation, seatIds, at: instant }),
    ]),
  ),
  ...Object.fromEntries(
    ['blocked', 'unblocked'].map((name) => [
      `usher.seats.${name}`,
      v.strictObject({ scheduleId: positive, seq: positive, seatIds, at: instant }),
    ]),
  ),
};

/** What is wrong with a message; nothing, if nothing is. */
export function contractFaults({ topic, key, headers, data }: ReadMessage): readonly string[] {
  const { ce_time: time, ce_type: type = '', ...others } = headers;
  const id = `${data['scheduleId']}-${data['seq']}`;
  const subject = data['reservationId'];
  const expected = {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: 'usher',
    'content-type': 'application/json',
    ...(subject !== undefined && { ce_subject: subject }),
  };
  const faults: string[] = [];
  const check = (isRight: boolean, what: string) => {
    if (!isRight) faults.push(`${topic} ${id}: ${what}`);
  };
  const isOfTopic = (type === 'usher.seat.reserved') === (topic === seatReservedTopic);
  check(isOfTopic && type in dataOf, `${type} is no type of this topic`);
  check(key === String(data['scheduleId']), `key ${key}`);
  check(v.is(instant, time), `ce_time ${time}`);
  check(topic === seatReservedTopic || time === data['at'], `ce_time ${time} of what was at ${data['at']}`);
  check(isSame(others, expected), `headers ${JSON.stringify(headers)}`);
  const { issues = [] } = v.safeParse(dataOf[type] ?? v.never(), data);
  for (const issue of issues) check(false, `${v.getDotPath(issue)}: ${issue.message}`);
  return faults;
}

function isSame(left: object, right: object): boolean {
  const sorted = (object: object) => JSON.stringify(Object.entries(object).sort());
  return sorted(left) === sorted(right);
}

/** The free seats of a hall in bit order, as `available/seat` gives them, by what its events tell. */
export class FreeSeats {
  readonly #ordinals: ReadonlyMap<string, number>;
  readonly #bits: Uint8Array;
  seq = 0;

  constructor(seatIds: readonly string[]) {
    this.#ordinals = new Map(seatIds.map((seatId, ordinal) => [seatId, ordinal]));
    this.#bits = new Uint8Array(Math.ceil(seatIds.length / 8));
    for (const ordinal of this.#ordinals.values()) this.#put(ordinal, true);
  }

  /** Of reservation-topic, the next one of the schedule. */
  apply({ headers, data }: ReadMessage): void {
    this.seq = data['seq'] as number;
    const isFree = isFreeAfter[headers['ce_type'] ?? ''];
    if (isFree === undefined) return;
    for (const seatId of data['seatIds'] as string[]) this.#put(this.#ordinals.get(seatId)!, isFree);
  }

  get hex(): string {
    return Buffer.from(this.#bits).toString('hex');
  }

  #put(ordinal: number, isFree: boolean): void {
    const bit = 1 << (ordinal & 7);
    if (isFree) this.#bits[ordinal >> 3]! |= bit;
    else this.#bits[ordinal >> 3]! &= ~bit;
  }
}

/** The other types move no seat. */
const isFreeAfter: Readonly<Record<string, boolean>> = {
  'usher.reservation.held': false,
  'usher.reservation.cancelled': true,
  'usher.reservation.expired': true,
  'usher.seats.blocked': false,
  'usher.seats.unblocked': true,
};
