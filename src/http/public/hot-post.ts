import type { IncomingMessage } from 'node:http';
import type { IdempotencyKey, UserId } from '../../actors/allocator/ids.ts';
import type { Outcome, Reply, ReservationView } from '../../actors/runtime/outcome.ts';
import type { Admission } from '../access/admission.ts';
import type { Scope } from '../access/scope.ts';
import {
  assertReservation,
  type ReservationStatusCode,
  refusal,
  reservationReply,
} from '../answer/outcome-answer.ts';
import { Problem } from '../answer/problem.ts';
import { readIdempotencyKey } from '../input/idempotency-key.ts';
import { checkJsonMediaType } from '../input/media-type.ts';
import { noFields } from '../input/request-schemas.ts';
import { parseStrictJson } from '../input/strict-json.ts';
import { queryOf, readQuery, validate } from '../input/validation.ts';
import type { Exchange } from '../server/exchange.ts';
import { answerFailure, type HttpLog } from '../server/failure.ts';
import { bodyTooLarge, declaresTooLarge, readBody } from '../server/request-body.ts';
import type { ReservationWriters } from './reservation-writers.ts';

/**
 * A POST that is answered with a reservation, ahead of the app (ADR 2): the calls that a drop is made of. No
 * promise where the token is known and the hall is at hand, nothing allocated that is not part of the answer.
 * The order of the checks is the app's (serve-route.ts); what the calls have of their own is an operation.
 */
export class HotPost<Body> {
  readonly #operation: HotOperation<Body>;
  readonly #routeIndex: number;
  readonly #surroundings: HotSurroundings;

  constructor(operation: HotOperation<Body>, routeIndex: number, surroundings: HotSurroundings) {
    this.#operation = operation;
    this.#routeIndex = routeIndex;
    this.#surroundings = surroundings;
  }

  handle(exchange: Exchange): void {
    const { admission, bodyBytesMax, log } = this.#surroundings;
    exchange.routeIndex = this.#routeIndex;
    if (declaresTooLarge(exchange, bodyBytesMax)) {
      return exchange.sendProblemAndClose(bodyTooLarge(bodyBytesMax));
    }
    const user = admission.admit(exchange, this.#operation.scope);
    if (!(user instanceof Promise)) return this.#accept(exchange, user);
    user.then(
      (admitted) => this.#accept(exchange, admitted),
      (error: unknown) => answerFailure(exchange, log, error),
    );
  }

  #accept(exchange: Exchange, user: UserId | Problem): void {
    if (user instanceof Problem) return exchange.sendProblem(user);
    const key = readHead(exchange.incoming);
    if (key instanceof Problem) return exchange.sendProblem(key);
    const { bodyBytesMax, log } = this.#surroundings;
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
    const body = this.#operation.readBody(input);
    if (body instanceof Problem) return exchange.sendProblem(body);
    this.#operation.submit(user, key, body, (outcome) => this.#answer(exchange, outcome));
  }

  /** Called by the runtime: must not throw. */
  #answer(exchange: Exchange, outcome: Outcome): void {
    const { writers, log } = this.#surroundings;
    try {
      if (outcome.kind === 'rejected' || outcome.kind === 'unavailable') {
        return exchange.sendProblem(refusal(outcome, this.#operation.subject));
      }
      assertReservation(outcome);
      const { view } = outcome;
      const status = this.#operation.statusOf(view);
      const writer = writers.find(view.scheduleId);
      if (writer !== undefined) return exchange.send(reservationReply(status, outcome, writer.write(view)));
      writers
        .load(view.scheduleId)
        .then((loaded) => exchange.send(reservationReply(status, outcome, loaded.write(view))))
        .catch((error: unknown) => answerFailure(exchange, log, error));
    } catch (error) {
      answerFailure(exchange, log, error);
    }
  }
}

/** What one hot call has of its own. */
export interface HotOperation<Body> {
  readonly scope: Scope;
  /** What is not there when the outcome is `not-found`. */
  readonly subject: string;
  /** @param input strict JSON. */
  readonly readBody: (input: unknown) => Body | Problem;
  readonly submit: (userId: UserId, key: IdempotencyKey | undefined, body: Body, reply: Reply) => void;
  /** Of the answer that shows a reservation. */
  readonly statusOf: (view: ReservationView) => ReservationStatusCode;
}

/** What all hot calls share. */
export interface HotSurroundings {
  readonly admission: Admission;
  readonly writers: ReservationWriters;
  readonly bodyBytesMax: number;
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
  return mediaType ?? readIdempotencyKey(incoming.headers['idempotency-key'], 'optional');
}
