import * as request from '../input/request-schemas.ts';
import { cacheHeaders } from './header-notes.ts';
import { pointsRoutes } from './points-routes.ts';
import { reservationRoutes } from './reservation-routes.ts';
import * as response from './response-schemas.ts';
import { allocatorProblems, type Route } from './route.ts';

/** @param seatsPerReservationMax seats that one reservation may have. */
export const publicRoutes = (seatsPerReservationMax: number) =>
  ({
    ...reservationRoutes(seatsPerReservationMax),
    ...pointsRoutes,
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

/** Served ahead of the app (hot-post.ts, available-seats.ts). */
export type HotRouteId = 'createReservation' | 'payReservation' | 'availableSeats';
