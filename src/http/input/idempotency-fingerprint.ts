import { assert } from '../../actors/allocator/assert.ts';
import type { ReservationRef } from '../../actors/allocator/ids.ts';
import type { HoldRequest } from './request-schemas.ts';

/**
 * The meaning of a request as a number: two requests under one key are the same when these are equal.
 * Fingerprints are kept in the journal for a day, so what is hashed may not change between versions.
 *
 * Fields are joined by a line end, which no field may contain.
 */
export function fingerprintOfHold({ scheduleId, seatIds, bestAvailable }: HoldRequest): number {
  if (seatIds !== undefined) return hash53(`hold\n${scheduleId}\n${seatIds.join('\n')}`);
  assert(bestAvailable !== undefined, 'a hold names seats or what is wanted');
  const { quantity, category, section, adjacent } = bestAvailable;
  // Not given and given but empty are told apart: a name has at least one character.
  return hash53(`hold-best\n${scheduleId}\n${quantity}\n${category ?? ''}\n${section ?? ''}\n${adjacent}`);
}

export const fingerprintOfExtend = ({ scheduleId, number }: ReservationRef): number =>
  hash53(`extend\n${scheduleId}\n${number}`);

/**
 * cyrb53 (bryc, github.com/bryc/code, public domain): two 32-bit lanes of multiply and xor, of which 53
 * bits are kept, what a double holds. Not for secrets: a user can only collide with their own requests.
 */
function hash53(text: string): number {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x9e3779b1);
    high = Math.imul(high ^ unit, 0x5f356495);
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  return 0x1_0000_0000 * (0x1fffff & high) + (low >>> 0);
}
