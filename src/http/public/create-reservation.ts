import { assert } from '../../actors/allocator/assert.ts';
import type { Intent } from '../../actors/allocator/command.ts';
import type { IdempotencyKey, UserId } from '../../actors/allocator/ids.ts';
import type { AllocatorService } from '../../actors/runtime/allocator-service.ts';
import { fingerprintOfHold } from '../input/idempotency-fingerprint.ts';
import { type HoldRequest, holdRequest } from '../input/request-schemas.ts';
import { readUsualHold } from '../input/usual-hold.ts';
import { validate } from '../input/validation.ts';
import type { HotOperation } from './hot-post.ts';

/** POST /reservations */
export function createReservation(
  service: Pick<AllocatorService, 'submit'>,
  seatsPerReservationMax: number,
): HotOperation<HoldRequest> {
  const schema = holdRequest(seatsPerReservationMax);
  return {
    scope: 'reserve',
    subject: 'schedule',
    readBody: (input) => {
      const usual = readUsualHold(input, seatsPerReservationMax);
      if (usual !== undefined) return usual;
      const checked = validate(schema, input);
      return checked.ok ? checked.value : checked.problem;
    },
    submit: (userId, key, body, reply) => service.submit(body.scheduleId, intentOf(userId, key, body), reply),
    statusOf: () => 201,
  };
}

function intentOf(userId: UserId, key: IdempotencyKey | undefined, body: HoldRequest): Intent {
  const { seatIds } = body;
  if (seatIds === undefined) return bestIntentOf(userId, key, body);
  if (key === undefined) return { kind: 'hold', userId, seatIds };
  return { kind: 'hold', userId, seatIds, idempotency: { key, fingerprint: fingerprintOfHold(body) } };
}

function bestIntentOf(userId: UserId, key: IdempotencyKey | undefined, body: HoldRequest): Intent {
  assert(body.bestAvailable !== undefined, 'a hold names seats or what is wanted');
  const { quantity, adjacent, category, section } = body.bestAvailable;
  return {
    kind: 'hold-best',
    userId,
    quantity,
    adjacent,
    ...(category !== undefined && { category }),
    ...(section !== undefined && { section }),
    ...(key !== undefined && { idempotency: { key, fingerprint: fingerprintOfHold(body) } }),
  };
}
