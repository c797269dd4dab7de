import * as request from '../input/request-schemas.ts';
import { cacheHeaders, replayHeader } from './header-notes.ts';
import * as response from './response-schemas.ts';
import { allocatorProblems, type Route } from './route.ts';

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

const payingExample = {
  ...heldExample,
  status: 'PAYING',
  expiresInSeconds: 0,
  paymentId: '1-1-2',
  seq: 2,
};

const paidExample = { ...payingExample, status: 'PAID', paidAt: '2026-12-01T11:01:00.000Z', seq: 3 };

/** @param seatsPerReservationMax seats that one reservation may have. */
export const reservationRoutes = (seatsPerReservationMax: number) =>
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
      idempotencyKey: 'optional',
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
      idempotencyKey: 'optional',
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
    payReservation: {
      port: 'public',
      method: 'POST',
      path: '/reservations/pay',
      access: 'pay',
      summary: 'Pay a reservation',
      description:
        'From your points, one point a minor unit, or by a card, where the service takes cards. The amount is ' +
        'the reservation’s. While a payment is under way the hold does not expire; one that comes to nothing ' +
        'leaves the seats held for a while. A payment is made once, and so is a refund, whoever fails when.',
      body: request.payRequest,
      idempotencyKey: 'optional',
      success: {
        status: 200,
        description: 'It is paid, and the seats are yours.',
        schema: response.reservationResponse,
        headers: replayHeader,
      },
      pending: {
        status: 202,
        description: 'The payment goes on: look at the reservation again.',
        schema: response.reservationResponse,
        headers: { Location: 'Of the reservation', 'Retry-After': 'Seconds until it is worth a look' },
      },
      problems: [
        'insufficient-points',
        'payment-declined',
        'not-found',
        'already-paid',
        'already-cancelled',
        'payment-in-progress',
        'hold-expired',
        'hold-limit-reached',
        'idempotency-key-reused',
        ...allocatorProblems,
        'gateway-unavailable',
      ],
      example: {
        target: '/reservations/pay',
        body: { reservationId: '1-1', method: 'points' },
        response: paidExample,
        pendingResponse: payingExample,
      },
    },
  }) as const satisfies Record<string, Route>;
