import * as v from 'valibot';
import { reservationStatuses } from '../../actors/allocator/reservation.ts';
import { movePhases } from '../../actors/runtime/cluster-records.ts';
import { entryKinds } from '../../actors/runtime/ledger.ts';
import { problemCodes } from '../answer/error-response.ts';

/** What answers look like: for the OpenAPI file, and for the tests that hold every answer against it. */

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const minor = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
  v.description('In minor units of the currency'),
);
const timestamp = v.pipe(
  v.string(),
  v.isoTimestamp(),
  v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
);
const reservationIdText = v.pipe(v.string(), v.regex(/^[1-9][0-9]*-[1-9][0-9]*$/));

export const problemResponse = v.looseObject({
  type: v.string(),
  title: v.string(),
  status: v.pipe(v.number(), v.integer()),
  detail: v.string(),
  code: v.picklist(problemCodes),
  requestId: v.string(),
  retryable: v.optional(v.pipe(v.boolean(), v.description('Present on 409, 429 and 503'))),
  errors: v.optional(
    v.pipe(
      v.array(v.strictObject({ path: v.string(), message: v.string() })),
      v.description('Every fault, with invalid-request'),
    ),
  ),
});

export const tokenResponse = v.strictObject({
  accessToken: v.string(),
  tokenType: v.literal('Bearer'),
  expiresInSeconds: count,
  scope: v.pipe(v.string(), v.description('Space-separated')),
});

const price = v.strictObject({ category: v.string(), priceMinor: minor });

const performance = v.strictObject({
  performanceId: id,
  name: v.string(),
  venueId: id,
  currency: v.string(),
  prices: v.array(price),
});

export const performancesResponse = v.strictObject({ performances: v.array(performance) });

export const layoutResponse = v.strictObject({
  venueId: id,
  name: v.string(),
  sections: v.array(
    v.strictObject({
      name: v.string(),
      rows: v.array(
        v.strictObject({
          name: v.string(),
          seats: v.array(
            v.strictObject({
              seatId: v.string(),
              number: v.string(),
              category: v.string(),
              x: v.optional(v.number()),
              y: v.optional(v.number()),
              gapAfter: v.optional(
                v.pipe(v.literal(true), v.description('The next seat of the row is not adjacent')),
              ),
            }),
          ),
        }),
      ),
    }),
  ),
});

const scheduleEntries = {
  scheduleId: id,
  startsAt: timestamp,
  onSaleAt: v.pipe(v.nullable(timestamp), v.description('null: on sale at once')),
  capacity: count,
  available: count,
};

export const datesResponse = v.strictObject({
  performanceId: id,
  schedules: v.array(v.strictObject(scheduleEntries)),
});

export const availabilityResponse = v.strictObject({
  scheduleId: id,
  seq: count,
  capacity: count,
  available: count,
  seatIds: v.pipe(v.array(v.string()), v.description('The free seats, in the order of the layout')),
});

export const reservationResponse = v.strictObject({
  reservationId: reservationIdText,
  scheduleId: id,
  status: v.picklist(reservationStatuses),
  seats: v.array(
    v.strictObject({
      seatId: v.string(),
      section: v.string(),
      row: v.string(),
      number: v.string(),
      category: v.string(),
      priceMinor: minor,
    }),
  ),
  totalMinor: minor,
  currency: v.string(),
  heldAt: timestamp,
  expiresAt: timestamp,
  expiresInSeconds: v.pipe(count, v.description('0 unless HELD')),
  paymentId: v.optional(v.pipe(v.string(), v.description('Of the payment that is under way or was made'))),
  paidAt: v.optional(timestamp),
  cancelledAt: v.optional(timestamp),
  expiredAt: v.optional(timestamp),
  seq: id,
});

const nextCursor = v.pipe(v.nullable(v.string()), v.description('null: there are no more'));

export const reservationsResponse = v.strictObject({
  reservations: v.array(reservationResponse),
  nextCursor,
});

const points = v.pipe(count, v.description('In points'));

export const balanceResponse = v.strictObject({ userId: v.string(), balance: points });

export const chargeResponse = v.strictObject({ ...balanceResponse.entries, entryId: id });

export const entriesResponse = v.strictObject({
  entries: v.array(
    v.strictObject({
      entryId: id,
      kind: v.picklist(entryKinds),
      amount: v.pipe(v.number(), v.safeInteger(), v.description('Negative for a payment')),
      balanceAfter: points,
      reservationId: v.optional(v.pipe(reservationIdText, v.description('Of a payment and its refund'))),
      at: timestamp,
    }),
  ),
  nextCursor,
});

export const healthResponse = v.strictObject({ status: v.picklist(['ok', 'ready']) });

export const venueResponse = v.strictObject({
  venueId: id,
  name: v.string(),
  seats: count,
  sections: count,
  categories: v.pipe(v.array(v.string()), v.description('Each needs a price in a performance')),
});

export const performanceResponse = v.strictObject({
  ...performance.entries,
  seatsPerUserMax: v.optional(id),
  orphanRule: v.boolean(),
});

export const scheduleResponse = v.strictObject({ scheduleId: id });

export const schedulesResponse = v.strictObject({
  schedules: v.array(v.strictObject({ ...scheduleEntries, performanceId: id, performance: v.string() })),
});

export const blocksResponse = v.strictObject({
  scheduleId: id,
  seatIds: v.pipe(v.array(v.string()), v.description('The seats that changed')),
  seq: count,
});

export const countsResponse = v.strictObject({
  scheduleId: id,
  performanceId: id,
  shardId: count,
  ownerNodeId: v.pipe(v.nullable(v.string()), v.description('null: none that this node knows of')),
  seq: count,
  capacity: count,
  free: count,
  held: count,
  paying: count,
  paid: count,
  blocked: count,
});

export const auditResponse = v.strictObject({
  ok: v.boolean(),
  checks: v.array(v.strictObject({ invariant: v.string(), ok: v.boolean(), detail: v.string() })),
});

const requestsPerSecond = v.pipe(v.number(), v.minValue(0));

const moveRoute = { shardId: count, fromNodeId: v.string(), toNodeId: v.string() };

export const clusterResponse = v.strictObject({
  nodes: v.array(
    v.strictObject({
      nodeId: v.string(),
      version: v.string(),
      url: v.pipe(v.string(), v.description('Of its public port')),
      state: v.picklist(['up', 'draining', 'lost']),
      heartbeatAgeMs: count,
      shards: count,
      requestsPerSecond,
    }),
  ),
  shards: v.array(
    v.strictObject({
      shardId: count,
      ownerNodeId: v.pipe(v.nullable(v.string()), v.description('null: nobody has ever had it')),
      epoch: v.pipe(count, v.description('By the store')),
      state: v.picklist(['active', 'moving', 'orphaned']),
      requestsPerSecond,
    }),
  ),
  moves: v.pipe(
    v.array(
      v.strictObject({
        moveId: id,
        ...moveRoute,
        phase: v.pipe(v.string(), v.description('`planned`, `preloading`, `sealed`, `transferred` …')),
        startedAt: timestamp,
      }),
    ),
    v.description('Those that have not ended'),
  ),
  disagreements: v.pipe(
    v.array(v.string()),
    v.description('Where registry, store and nodes say different things, for people'),
  ),
  coordinatorNodeId: v.nullable(v.string()),
  registry: v.pipe(v.picklist(['up', 'down']), v.description('down: the rest is what was known last')),
});

const plannedMove = v.strictObject({ moveId: id, ...moveRoute, phase: v.picklist(movePhases) });

export const plannedMovesResponse = v.strictObject({ moves: v.array(plannedMove) });

export const plannedMoveResponse = v.strictObject({ moveId: id, ...plannedMovesResponse.entries });

export const rebalancePlanResponse = v.strictObject({ moves: v.array(v.strictObject(moveRoute)) });

export const moveResponse = v.strictObject({
  ...plannedMove.entries,
  epoch: v.pipe(count, v.description('Of the shard when the move was planned')),
  detail: v.pipe(v.string(), v.description('Why it failed; empty else')),
  plannedAt: timestamp,
  endedAt: v.pipe(v.nullable(timestamp), v.description('null: it goes on')),
});

export const operatorActionsResponse = v.strictObject({
  actions: v.array(
    v.strictObject({
      at: timestamp,
      who: v.pipe(v.string(), v.description('The operator, or the node that acted by itself')),
      what: v.string(),
      why: v.string(),
    }),
  ),
});
