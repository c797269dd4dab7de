import * as v from 'valibot';
import { scopes } from '../access/scope.ts';
import {
  booleanField,
  cardTokenField,
  currencyField,
  integer,
  integerText,
  listOf,
  methodField,
  nameField,
  nodeIdField,
  performanceIdField,
  performanceIdText,
  reservationIdText,
  scheduleIdField,
  scheduleIdText,
  seatIdField,
  shardIdField,
  statusField,
  timestampField,
  userIdField,
  venueIdField,
  venueIdText,
  whyField,
} from './field-schemas.ts';

/** What requests may carry: unknown fields are refused everywhere. */

export const tokenRequest = v.strictObject({
  userId: userIdField,
  scopes: v.optional(listOf(v.picklist(scopes, `must be one of ${scopes.join(', ')}`), 1, scopes.length)),
});

/** @param seatsPerReservationMax seats that one reservation may have. */
export const holdRequest = (seatsPerReservationMax: number) =>
  v.pipe(
    v.strictObject({
      scheduleId: scheduleIdField,
      seatIds: v.optional(listOf(seatIdField, 1, seatsPerReservationMax)),
      bestAvailable: v.optional(
        v.strictObject({
          quantity: integer(1, seatsPerReservationMax),
          category: v.optional(nameField),
          section: v.optional(nameField),
          adjacent: v.optional(booleanField, true),
        }),
      ),
    }),
    v.check(
      ({ seatIds, bestAvailable }) => (seatIds === undefined) !== (bestAvailable === undefined),
      'must have either seatIds or bestAvailable',
    ),
    v.metadata({ oneOf: [{ required: ['seatIds'] }, { required: ['bestAvailable'] }] }),
  );

export type HoldRequest = v.InferOutput<ReturnType<typeof holdRequest>>;

export const payRequest = v.pipe(
  v.strictObject({
    reservationId: reservationIdText,
    method: methodField,
    cardToken: v.optional(cardTokenField),
  }),
  v.forward(
    v.check(({ method, cardToken }) => method !== 'card' || cardToken !== undefined, 'is missing'),
    ['cardToken'],
  ),
  v.forward(
    v.check(({ method, cardToken }) => method === 'card' || cardToken === undefined, 'is for cards only'),
    ['cardToken'],
  ),
  v.metadata({
    oneOf: [
      { properties: { method: { const: 'points' }, cardToken: false } },
      { properties: { method: { const: 'card' } }, required: ['cardToken'] },
    ],
  }),
);

export type PayRequest = v.InferOutput<typeof payRequest>;

const chargeMax = 10_000_000;

export const chargeRequest = v.strictObject({ amount: integer(1, chargeMax) });

export const noFields = v.strictObject({});

export const venueParams = v.strictObject({ venueId: venueIdText });
export const reservationParams = v.strictObject({ reservationId: reservationIdText });
export const scheduleParams = v.strictObject({ scheduleId: scheduleIdText });

export const datesQuery = v.strictObject({ performanceId: performanceIdText });
export const availabilityQuery = v.strictObject({ scheduleId: scheduleIdText });

const pageMax = 100;
export const pageDefault = 20;

const pageEntries = {
  limit: v.optional(integerText(1, pageMax)),
  cursor: v.optional(v.string('must be text')),
};

export const reservationsQuery = v.strictObject({
  status: v.optional(statusField),
  scheduleId: v.optional(scheduleIdText),
  ...pageEntries,
});

export const entriesQuery = v.strictObject(pageEntries);

/** Read by the importer, which lists what is wrong with it. */
export const venueRequest = v.pipe(
  v.unknown(),
  v.metadata({
    type: 'object',
    description: 'A layout, which has `sections`, or a seating plan of pretix’s editor, which has `zones`',
  }),
);

const priceMinorMax = 1_000_000_000;
const categoriesMax = 1_000;
const seatsPerVenueMax = 200_000;

export const performanceRequest = v.strictObject({
  name: nameField,
  venueId: venueIdField,
  currency: currencyField,
  prices: listOf(
    v.strictObject({ category: nameField, priceMinor: integer(0, priceMinorMax) }),
    1,
    categoriesMax,
  ),
  seatsPerUserMax: v.optional(integer(1, seatsPerVenueMax)),
  orphanRule: v.optional(booleanField, false),
});

export const scheduleRequest = v.strictObject({
  performanceId: performanceIdField,
  startsAt: timestampField,
  onSaleAt: v.optional(timestampField),
});

const seatsPerBlockMax = 10_000;

export const seatsRequest = v.strictObject({ seatIds: listOf(seatIdField, 1, seatsPerBlockMax) });

const why = v.optional(whyField, '');

export const moveShardRequest = v.strictObject({ shardId: shardIdField, toNodeId: nodeIdField, why });
export const drainNodeRequest = v.strictObject({ nodeId: nodeIdField, why });
export const rebalanceRequest = v.strictObject({ dryRun: v.optional(booleanField, false), why });

export const moveParams = v.strictObject({ moveId: integerText(1, 999_999_999_999_999) });

const actionsMax = 1_000;

export const operatorActionsQuery = v.strictObject({ limit: v.optional(integerText(1, actionsMax)) });
