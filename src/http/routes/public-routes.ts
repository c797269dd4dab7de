import * as request from '../input/request-schemas.ts';
import * as response from './response-schemas.ts';
import { allocatorProblems, type Route } from './route.ts';

const replayHeader = { 'Idempotency-Replayed': '`true` when this is the first success again' };
const cacheHeaders = { ETag: 'Of this state', 'Cache-Control': 'How long it may be kept' };

const heldExample = {
  reservationId: '1-1',
  scheduleId: 1,
  status: 'HELD',
  seats: [
    { seatId: 'A-1-1', section: 'Stalls', row: 'A', number: '1', category: 'Standard', priceMinor: 4500 },
    { seatId: 'A-1-2', section: 'Stalls', row: 'A', number: '2', category: 'Standard', priceMinor: 4500 },
  ],
  totalMinor: 9000,
  currency: 'EUR',
  heldAt: '2026-12-01T11:00:00.000Z',
  expiresAt: '2026-12-01T11:05:00.000Z',
  expiresInSeconds: 300,
  seq: 1,
};

/** @param seatsPerReservationMax seats that one reservation may have. */
export const publicRoutes = (seatsPerReservationMax: number) =>
  ({
    createReservation: {
      port: 'public',
      method: 'POST',
      path: '/reservations',
      access: 'reserve',
      summary: 'Hold seats',
      description:
        'Holds named seats (`seatIds`), or the best that are left (`bestAvailable`): all of them or none. ' +
        'The answer comes when the hold is on disk. Send an `Idempotency-Key` and the request can be ' +
        'repeated without holding twice.',
      body: request.holdRequest(seatsPerReservationMax),
      isIdempotent: true,
      success: {
        status: 201,
        description: 'The seats are held until `expiresAt`.',
        schema: response.reservationResponse,
        headers: { Location: 'Of the reservation', ...replayHeader },
      },
      problems: [
        'not-found',
        'seats-taken',
        'not-enough-adjacent-seats',
        'orphan-seat',
        'seat-limit-exceeded',
        'not-on-sale',
        'sold-out',
        'unknown-seats',
        'duplicate-seats',
        'idempotency-key-reused',
        ...allocatorProblems,
      ],
      example: {
        target: '/reservations',
        body: { scheduleId: 1, bestAvailable: { quantity: 2 } },
        response: heldExample,
      },
    },
    availableSeats: {
      port: 'public',
      method: 'GET',
      path: '/reservations/available/seat',
      access: 'open',
      summary: 'The free seats of a schedule',
      description:
        'Of the last durable moment. Ask again with `If-None-Match`: 304 while nothing has changed. ' +
        '`Accept: application/octet-stream` gives a bitmap: bit i = seat i of the layout, little-endian ' +
        'within bytes. `Accept-Encoding: gzip` compresses either.',
      query: request.availabilityQuery,
      success: {
        status: 200,
        description: 'The free seats as of `seq`.',
        schema: response.availabilityResponse,
        mediaTypes: ['application/octet-stream'],
        headers: { ...cacheHeaders, 'Usher-Seq': 'With the bitmap: the `seq` that it shows' },
      },
      problems: ['not-found', 'not-acceptable', ...allocatorProblems],
      example: {
        target: '/reservations/available/seat?scheduleId=1',
        response: { scheduleId: 1, seq: 7, capacity: 4, available: 2, seatIds: ['A-1-3', 'A-1-4'] },
      },
    },
    availableDates: {
      port: 'public',
      method: 'GET',
      path: '/reservations/available/dates',
      access: 'open',
      summary: 'The schedules of a performance, with what is left',
      query: request.datesQuery,
      success: { status: 200, description: 'By `startsAt`.', schema: response.datesResponse },
      problems: ['not-found', ...allocatorProblems],
      example: {
        target: '/reservations/available/dates?performanceId=1',
        response: {
          performanceId: 1,
          schedules: [
            {
              scheduleId: 1,
              startsAt: '2026-12-24T19:00:00.000Z',
              onSaleAt: null,
              capacity: 1900,
              available: 1874,
            },
          ],
        },
      },
    },
    listReservations: {
      port: 'public',
      method: 'GET',
      path: '/reservations',
      access: 'reserve',
      summary: 'Your reservations, newest first',
      description: 'From the projection, which may lag a moment behind what was answered to you.',
      query: request.reservationsQuery,
      success: {
        status: 200,
        description: 'A page; go on with `nextCursor`.',
        schema: response.reservationsResponse,
        headers: { 'Usher-As-Of-Seq': 'With `scheduleId`: the `seq` up to which it is complete' },
      },
      problems: [...allocatorProblems],
      example: {
        target: '/reservations?status=HELD&limit=20',
        response: { reservations: [heldExample], nextCursor: null },
      },
    },
    readReservation: {
      port: 'public',
      method: 'GET',
      path: '/reservations/{reservationId}',
      access: 'reserve',
      summary: 'One of your reservations',
      params: request.reservationParams,
      success: { status: 200, description: 'In any status.', schema: response.reservationResponse },
      problems: ['not-found', ...allocatorProblems],
      example: { target: '/reservations/1-1', response: heldExample },
    },
    cancelReservation: {
      port: 'public',
      method: 'DELETE',
      path: '/reservations/{reservationId}',
      access: 'reserve',
      summary: 'Give the seats back',
      params: request.reservationParams,
      success: { status: 204, description: 'Cancelled, now or before.' },
      problems: ['not-found', 'already-paid', 'payment-in-progress', 'hold-expired', ...allocatorProblems],
      example: { target: '/reservations/1-1' },
    },
    extendReservation: {
      port: 'public',
      method: 'POST',
      path: '/reservations/{reservationId}/extend',
      access: 'reserve',
      summary: 'Keep a hold for longer',
      description: 'By the time that a new hold gets, up to the limit for one hold.',
      params: request.reservationParams,
      body: request.noFields,
      isBodyOptional: true,
      isIdempotent: true,
      success: {
        status: 200,
        description: 'With its new `expiresAt`.',
        schema: response.reservationResponse,
        headers: replayHeader,
      },
      problems: [
        'not-found',
        'already-paid',
        'already-cancelled',
        'payment-in-progress',
        'hold-expired',
        'hold-limit-reached',
        'idempotency-key-reused',
        ...allocatorProblems,
      ],
      example: { target: '/reservations/1-1/extend', response: heldExample },
    },
    performances: {
      port: 'public',
      method: 'GET',
      path: '/performances',
      access: 'open',
      summary: 'What is on, and what it costs',
      success: { status: 200, description: 'All performances.', schema: response.performancesResponse },
      problems: [...allocatorProblems],
      example: {
        target: '/performances',
        response: {
          performances: [
            {
              performanceId: 1,
              name: 'The Tempest',
              venueId: 1,
              currency: 'EUR',
              prices: [{ category: 'Standard', priceMinor: 4500 }],
            },
          ],
        },
      },
    },
    venueLayout: {
      port: 'public',
      method: 'GET',
      path: '/venues/{venueId}/layout',
      access: 'open',
      summary: 'The layout of a venue',
      description: 'Immutable. Seat i of it, counted from the top, is bit i of the free-seat bitmap.',
      params: request.venueParams,
      success: {
        status: 200,
        description: 'The layout.',
        schema: response.layoutResponse,
        headers: cacheHeaders,
      },
      problems: ['not-found', ...allocatorProblems],
      example: {
        target: '/venues/1/layout',
        response: {
          venueId: 1,
          name: 'Theatre',
          sections: [
            {
              name: 'Stalls',
              rows: [
                { name: 'A', seats: [{ seatId: 'A-1-1', number: '1', category: 'Standard', x: 0, y: 0 }] },
              ],
            },
          ],
        },
      },
    },
    issueToken: {
      port: 'public',
      method: 'POST',
      path: '/auth/token',
      access: 'open',
      summary: 'An access token for a user',
      description:
        'For a trusted front end, which names itself with HTTP Basic and has its own scopes. In the demo ' +
        'anyone on the same machine may ask, without credentials.',
      body: request.tokenRequest,
      success: { status: 200, description: 'The token.', schema: response.tokenResponse },
      problems: ['unauthenticated', 'forbidden', 'not-found'],
      example: {
        target: '/auth/token',
        body: { userId: 'ada', scopes: ['reserve'] },
        response: { accessToken: 'eyJ…', tokenType: 'Bearer', expiresInSeconds: 3600, scope: 'reserve' },
      },
    },
    alive: {
      port: 'public',
      method: 'GET',
      path: '/healthz',
      access: 'open',
      summary: 'Whether the process is alive',
      success: { status: 200, description: 'It is.', schema: response.healthResponse },
      problems: [],
      example: { target: '/healthz', response: { status: 'ok' } },
    },
    ready: {
      port: 'public',
      method: 'GET',
      path: '/readyz',
      access: 'open',
      summary: 'Whether the node can serve',
      success: { status: 200, description: 'It can.', schema: response.healthResponse },
      problems: ['not-ready'],
      example: { target: '/readyz', response: { status: 'ready' } },
    },
    openapi: {
      port: 'public',
      method: 'GET',
      path: '/openapi.json',
      access: 'open',
      summary: 'This interface as an OpenAPI 3.1 document',
      success: { status: 200, description: 'The document.' },
      problems: [],
      example: { target: '/openapi.json' },
    },
    docs: {
      port: 'public',
      method: 'GET',
      path: '/docs',
      access: 'open',
      summary: 'This interface as a page to read',
      success: { status: 200, description: 'The page.', mediaTypes: ['text/html'] },
      problems: [],
      example: { target: '/docs' },
    },
  }) as const satisfies Record<string, Route>;

export type PublicRoutes = ReturnType<typeof publicRoutes>;

/** Served ahead of the app (create-reservation.ts, available-seats.ts). */
export type HotRouteId = 'createReservation' | 'availableSeats';
