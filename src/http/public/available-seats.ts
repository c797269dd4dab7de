import type { IncomingMessage } from 'node:http';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { AllocatorService } from '../../actors/runtime/allocator-service.ts';
import type { AvailabilityView } from '../../actors/runtime/availability-view.ts';
import { readFailure } from '../answer/outcome-answer.ts';
import { Problem } from '../answer/problem.ts';
import { acceptsGzip, preferredType } from '../input/accept-header.ts';
import { matchesTag } from '../input/entity-tag.ts';
import { availabilityQuery } from '../input/request-schemas.ts';
import { queryOf, readQuery, validate } from '../input/validation.ts';
import type { Exchange } from '../server/exchange.ts';
import { answerFailure, type HttpLog } from '../server/failure.ts';
import { AvailabilityBodies, type SeqBody } from './availability-bodies.ts';

const jsonType = 'application/json';
const bitmapType = 'application/octet-stream';
const offers = [jsonType, bitmapType] as const;

/** GET /reservations/available/seat, the call that is repeated most, ahead of the app. */
export class AvailableSeats {
  readonly #service: AllocatorService;
  readonly #routeIndex: number;
  readonly #log: HttpLog;
  readonly #bodies = new AvailabilityBodies();

  constructor(service: AllocatorService, routeIndex: number, log: HttpLog) {
    this.#service = service;
    this.#routeIndex = routeIndex;
    this.#log = log;
  }

  handle(exchange: Exchange): void {
    const { incoming } = exchange;
    exchange.routeIndex = this.#routeIndex;
    const scheduleId = readScheduleId(incoming);
    if (scheduleId instanceof Problem) return exchange.sendProblem(scheduleId);
    const type = preferredType(incoming.headers.accept, offers);
    if (type === undefined) return exchange.sendProblem(notAcceptable);
    this.#service.readAvailability(scheduleId, (result) =>
      this.#attempt(exchange, () => {
        if ('failure' in result) exchange.sendProblem(readFailure(result, 'schedule'));
        else this.#answer(exchange, scheduleId, type, result);
      }),
    );
  }

  /** What runs in a callback of the runtime or of the compressor must not throw there. */
  #attempt(exchange: Exchange, action: () => void): void {
    try {
      action();
    } catch (error) {
      answerFailure(exchange, this.#log, error);
    }
  }

  #answer(
    exchange: Exchange,
    scheduleId: ScheduleId,
    type: (typeof offers)[number],
    view: AvailabilityView,
  ): void {
    const tag = `"${view.seq}"`;
    const { headers } = exchange.incoming;
    if (matchesTag(headers['if-none-match'], tag)) {
      return exchange.send({ status: 304, headers: cachingHeaders(tag), body: '' });
    }
    const bodies = this.#bodies.of(scheduleId, view);
    const representation = type === jsonType ? bodies.json : bodies.bitmap;
    if (acceptsGzip(headers['accept-encoding'])) {
      representation.gzipped((body) => this.#attempt(exchange, () => exchange.send(toReply(type, body))));
    } else exchange.send(toReply(type, representation.plain()));
  }
}

/** The usual query is read without being taken apart. */
const USUAL_QUERY = /^scheduleId=([1-9][0-9]{0,14})$/;

function readScheduleId(incoming: IncomingMessage): ScheduleId | Problem {
  const query = queryOf(incoming);
  const usual = USUAL_QUERY.exec(query);
  if (usual !== null) return Number(usual[1]) as ScheduleId;
  const read = readQuery(query);
  const checked = read.ok ? validate(availabilityQuery, read.input) : read;
  return checked.ok ? checked.value.scheduleId : checked.problem;
}

const notAcceptable = new Problem('not-acceptable', `Accept ${jsonType} or ${bitmapType}.`, {
  available: offers,
});

const cachingHeaders = (tag: string): string[] => [
  'ETag',
  tag,
  'Cache-Control',
  'no-cache',
  'Vary',
  'Accept, Accept-Encoding',
];

function toReply(type: (typeof offers)[number], { seq, bytes, isGzipped }: SeqBody) {
  const headers = cachingHeaders(`"${seq}"`);
  headers.push('Content-Type', type);
  if (type === bitmapType) headers.push('Usher-Seq', String(seq));
  if (isGzipped) headers.push('Content-Encoding', 'gzip');
  return { status: 200, headers, body: bytes };
}
