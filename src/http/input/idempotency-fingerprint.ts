import { assert } from '../../actors/allocator/assert.ts';
import type { ReservationRef } from '../../actors/allocator/ids.ts';
import type { HoldRequest, PayRequest } from './request-schemas.ts';

/**
 * The meaning of a request as a number: two requests under one key are the same when these are equal.
 * Fingerprints are kept in the journal for a day, so what is hashed may not change between versions.
 *
 * The words of a request are hashed one by one, each with a line end behind it, which no word may contain;
 * to join them first was measured at 0.5 µs.
 */
export function fingerprintOfHold({ scheduleId, seatIds, bestAvailable }: HoldRequest): number {
  const schedule = String(scheduleId);
  if (seatIds !== undefined) return hash53('hold', schedule, seatIds);
  assert(bestAvailable !== undefined, 'a hold names seats or what is wanted');
  const { quantity, category, section, adjacent } = bestAvailable;
  // Not given and given but empty are told apart: a name has at least one character.
  return hash53('hold-best', schedule, [String(quantity), category ?? '', section ?? '', String(adjacent)]);
}

export const fingerprintOfExtend = ({ scheduleId, number }: ReservationRef): number =>
  hash53('extend', String(scheduleId), [String(number)]);

export const fingerprintOfPayment = ({ reservationId, method, cardToken = '' }: PayRequest): number =>
  hash53('pay', String(reservationId.scheduleId), [String(reservationId.number), method, cardToken]);

export const fingerprintOfCharge = (amount: number): number => hash53('charge', '', [String(amount)]);

/** @param body as it was validated: its fields in the order of the sender. */
export const fingerprintOfCreation = (kind: 'venue' | 'performance' | 'schedule', body: unknown): number =>
  hash53(`create-${kind}`, '', [JSON.stringify(body)]);

/**
 * cyrb53 (bryc, github.com/bryc/code, public domain): two 32-bit lanes of multiply and xor, of which 53
 * bits are kept, what a double holds. Not for secrets: a user can only collide with their own requests.
 */
function hash53(kind: string, schedule: string, words: readonly string[]): number {
  let low = mix(mix(0xdeadbeef, kind, lowFactor), schedule, lowFactor);
  let high = mix(mix(0x41c6ce57, kind, highFactor), schedule, highFactor);
  for (const word of words) {
    low = mix(low, word, lowFactor);
    high = mix(high, word, highFactor);
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  return 0x1_0000_0000 * (0x1fffff & high) + (low >>> 0);
}

const lowFactor = 0x9e3779b1;
const highFactor = 0x5f356495;
const lineEnd = 0x0a;

/** Takes a word and its line end into a lane. */
function mix(lane: number, word: string, factor: number): number {
  let hash = lane;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), factor);
  return Math.imul(hash ^ lineEnd, factor);
}
