import type { IncomingMessage } from 'node:http';
import type { GenericSchema } from 'valibot';
import { assert } from '../../actors/allocator/assert.ts';
import type { Intent } from '../../actors/allocator/command.ts';
import type { IdempotencyKey, UserId } from '../../actors/allocator/ids.ts';
import type { AllocatorService } from '../../actors/runtime/allocator-service.ts';
import type { Outcome } from '../../actors/runtime/outcome.ts';
import type { Admission } from '../access/admission.ts';
import { assertReservation, refusal, reservationReply } from '../answer/outcome-answer.ts';
import { Problem } from '../answer/problem.ts';
import { fingerprintOfHold } from '../input/idempotency-fingerprint.ts';
import { readIdempotencyKey } from '../input/idempotency-key.ts';
import { checkJsonMediaType } from '../input/media-type.ts';
import { type HoldRequest, holdRequest, noFields } from '../input/request-schemas.ts';
import { parseStrictJson } from '../input/strict-json.ts';
import { readUsualHold } from '../input/usual-hold.ts';
import { queryOf, readQuery, validate } from '../input/validation.ts';
import type { Exchange } from '../server/exchange.ts';
import { answerFailure, type HttpLog } from '../server/failure.ts';
import { bodyTooLarge, declaresTooLarge, readBody } from '../server/request-body.ts';
import type { ReservationWriters } from './reservation-writers.ts';

/**
 * POST /reservations, the call that a drop is made of, ahead of the app: no promise where the token is known
 * and the hall is at hand, nothing allocated that is not part of the answer. The order of the checks is the
 * app's (serve-route.ts).
 */
export class CreateReservation {
  readonly #options: CreateReservationOptions;
  readonly #schema: GenericSchema<unknown, HoldRequest>;

  constructor(options: CreateReservationOptions) {
    this.#options = options;
    this.#schema = holdRequest(options.seatsPerReservationMax);
  }

  handle(exchange: Exchange): void {
    const { admission, bodyBytesMax, routeIndex } = this.#options;
    exchange.routeIndex = routeIndex;
    if (declaresTooLarge(exchange, bodyBytesMax)) {
      return exchange.sendProblemAndClose(bodyTooLarge(bodyBytesMax));
    }
    const user = admission.admit(exchange, 'reserve');
    if (!(user instanceof Promise)) return this.#accept(exchange, user);
    user.then(
      (admitted) => this.#accept(exchange, admitted),
      (error: unknown) => answerFailure(exchange, this.#options.log, error),
    );
  }

  #accept(exchange: Exchange, user: UserId | Problem): void {
    if (user instanceof Problem) return exchange.sendProblem(user);
    const key = readHead(exchange.incoming);
    if (key instanceof Problem) return exchange.sendProblem(key);
    const { bodyBytesMax, log } = this.#options;
    readBody(exchange, bodyBytesMax, (bytes) => {
      if (bytes === undefined) return exchange.sendProblemAndClose(bodyTooLarge(bodyBytesMax));
      try {
        this.#submit(exchange, user, key, bytes);
      } catch (error) {
        answerFailure(exchange, log, error);
      }
    });
  }

  #submit(exchange: Exchange, user: UserId, key: IdempotencyKey | undefined, bytes: Buffer): void {
    const input = parseStrictJson(bytes);
    if (input instanceof Problem) return exchange.sendProblem(input);
    const body = this.#readHold(input);
    if (body instanceof Problem) return exchange.sendProblem(body);
    this.#options.service.submit(body.scheduleId, intentOf(user, key, body), (outcome) =>
      this.#answer(exchange, outcome),
    );
  }

  #readHold(input: unknown): HoldRequest | Problem {
    const usual = readUsualHold(input, this.#options.seatsPerReservationMax);
    if (usual !== undefined) return usual;
    const checked = validate(this.#schema, input);
    return checked.ok ? checked.value : checked.problem;
  }

  /** Called by the runtime: must not throw. */
  #answer(exchange: Exchange, outcome: Outcome): void {
    try {
      if (outcome.kind === 'rejected' || outcome.kind === 'unavailable') {
        return exchange.sendProblem(refusal(outcome, 'schedule'));
      }
      assertReservation(outcome);
      const { view } = outcome;
      const { writers, log } = this.#options;
      const writer = writers.find(view.scheduleId);
      if (writer !== undefined) return exchange.send(reservationReply(201, outcome, writer.write(view)));
      writers.load(view.scheduleId).then(
        (loaded) => exchange.send(reservationReply(201, outcome, loaded.write(view))),
        (error: unknown) => answerFailure(exchange, log, error),
      );
    } catch (error) {
      answerFailure(exchange, this.#options.log, error);
    }
  }
}

interface CreateReservationOptions {
  readonly service: AllocatorService;
  readonly admission: Admission;
  readonly writers: ReservationWriters;
  readonly seatsPerReservationMax: number;
  readonly bodyBytesMax: number;
  readonly routeIndex: number;
  readonly log: HttpLog;
}

/** What can be refused before the body is read; else the key, if there is one. */
function readHead(incoming: IncomingMessage): IdempotencyKey | undefined | Problem {
  const query = queryOf(incoming);
  if (query !== '') {
    const read = readQuery(query);
    const checked = read.ok ? validate(noFields, read.input) : read;
    if (!checked.ok) return checked.problem;
  }
  const mediaType = checkJsonMediaType(incoming.headers);
  return mediaType ?? readIdempotencyKey(incoming.headers['idempotency-key']);
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
