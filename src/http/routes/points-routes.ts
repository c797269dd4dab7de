import * as request from '../input/request-schemas.ts';
import { replayHeader } from './header-notes.ts';
import * as response from './response-schemas.ts';
import type { Route } from './route.ts';

/** Of every route that asks the ledger. */
const ledgerProblems = ['overloaded', 'store-unavailable'] as const;

export const pointsRoutes = {
  chargePoints: {
    port: 'public',
    method: 'POST',
    path: '/points/charge',
    access: 'points:charge',
    summary: 'Add points to your account',
    description: 'For whoever sells points. The key is required: a charge is never made twice.',
    body: request.chargeRequest,
    idempotencyKey: 'required',
    success: {
      status: 200,
      description: 'The points are there.',
      schema: response.chargeResponse,
      headers: replayHeader,
    },
    problems: ['idempotency-key-reused', ...ledgerProblems],
    example: {
      target: '/points/charge',
      body: { amount: 10_000 },
      response: { userId: 'ada', balance: 10_000, entryId: 1 },
    },
  },
  readBalance: {
    port: 'public',
    method: 'GET',
    path: '/points/balance',
    access: 'points:read',
    summary: 'Your points',
    success: {
      status: 200,
      description: '0 for an account that was never charged.',
      schema: response.balanceResponse,
    },
    problems: [...ledgerProblems],
    example: { target: '/points/balance', response: { userId: 'ada', balance: 1_000 } },
  },
  listEntries: {
    port: 'public',
    method: 'GET',
    path: '/points/entries',
    access: 'points:read',
    summary: 'What made your points what they are, newest first',
    query: request.entriesQuery,
    success: {
      status: 200,
      description: 'A page; go on with `nextCursor`.',
      schema: response.entriesResponse,
    },
    problems: [...ledgerProblems],
    example: {
      target: '/points/entries?limit=20',
      response: {
        entries: [
          {
            entryId: 2,
            kind: 'payment',
            amount: -9_000,
            balanceAfter: 1_000,
            reservationId: '1-1',
            at: '2026-12-01T11:01:00.000Z',
          },
          {
            entryId: 1,
            kind: 'charge',
            amount: 10_000,
            balanceAfter: 10_000,
            at: '2026-12-01T10:59:00.000Z',
          },
        ],
        nextCursor: null,
      },
    },
  },
} as const satisfies Record<string, Route>;
