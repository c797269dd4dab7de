import {
  type ConversionConfig,
  type JsonSchema,
  toJsonSchema,
  toJsonSchemaDefs,
} from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import * as response from '../routes/response-schemas.ts';

/** Schemas to JSON Schema, as OpenAPI 3.1 has it. Those with a name are written once and referred to. */
const names: Readonly<Record<string, GenericSchema>> = {
  Problem: response.problemResponse,
  Token: response.tokenResponse,
  Performances: response.performancesResponse,
  Layout: response.layoutResponse,
  Dates: response.datesResponse,
  Availability: response.availabilityResponse,
  Reservation: response.reservationResponse,
  Reservations: response.reservationsResponse,
  Charge: response.chargeResponse,
  Balance: response.balanceResponse,
  Entries: response.entriesResponse,
  Health: response.healthResponse,
  Venue: response.venueResponse,
  Performance: response.performanceResponse,
  Schedule: response.scheduleResponse,
  Schedules: response.schedulesResponse,
  Blocks: response.blocksResponse,
  Counts: response.countsResponse,
  Audit: response.auditResponse,
  Cluster: response.clusterResponse,
  Move: response.moveResponse,
  PlannedMove: response.plannedMoveResponse,
  PlannedMoves: response.plannedMovesResponse,
  RebalancePlan: response.rebalancePlanResponse,
  OperatorActions: response.operatorActionsResponse,
};

const config: ConversionConfig = {
  target: 'draft-2020-12',
  typeMode: 'input',
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  overrideAction: ({ valibotAction: action, jsonSchema }) => {
    // JSON Schema's patterns are ECMAScript's with the u flag.
    if (action.type === 'regex') {
      const { requirement } = action as unknown as { readonly requirement: RegExp };
      return { ...jsonSchema, pattern: requirement.source };
    }
    // What a check demands is said beside it, in metadata.
    return action.type === 'check' ? jsonSchema : undefined;
  },
};

export const componentSchemas = (): Readonly<Record<string, JsonSchema>> => toJsonSchemaDefs(names, config);

/** A reference where the schema has a name, else the schema itself. */
export function jsonSchemaOf(schema: GenericSchema): JsonSchema {
  const name = Object.keys(names).find((key) => names[key] === schema);
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  const { $schema: _, ...converted } = toJsonSchema(schema, config);
  return converted;
}
