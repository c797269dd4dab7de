import type { GenericSchema, InferOutput } from 'valibot';
import type { IdempotencyKey, UserId } from '../../actors/allocator/ids.ts';
import type { Scope } from '../access/scope.ts';
import type { Problem, ProblemCode } from '../answer/problem.ts';
import type { HttpReply } from '../answer/reply.ts';
import type { KeyNeed } from '../input/idempotency-key.ts';
import type { Exchange } from '../server/exchange.ts';

/** Who may call: anyone; a user whose token has the scope; the operator; the operator or this machine. */
export type Access = 'open' | Scope | 'operator' | 'operator-or-loopback';

/**
 * A route as a value. Everything that is said about it is said here: the app checks access and input by it,
 * 405 and Allow, the metrics' labels, the OpenAPI file and /docs come from it.
 */
export interface Route {
  readonly port: 'public' | 'admin';
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As in `/venues/{venueId}/layout`; also the label in metrics. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly description?: string;
  readonly params?: GenericSchema;
  readonly query?: GenericSchema;
  readonly body?: GenericSchema;
  /** The body may be left out. */
  readonly isBodyOptional?: true;
  /** Takes an Idempotency-Key, or can't do without. */
  readonly idempotencyKey?: KeyNeed;
  /** Takes Usher-Operator: who asks, for the audit log. */
  readonly namesOperator?: true;
  readonly success: Success;
  /** Answered instead when it takes longer than anybody is kept waiting. */
  readonly pending?: Success;
  /** Answered instead to a request that asks only what would be done. */
  readonly dryRun?: Success;
  /** Codes of this route beside those that any route may answer (openapi.ts adds them). */
  readonly problems: readonly ProblemCode[];
  readonly example: RouteExample;
}

/** Of every route that asks the allocator or the store. */
export const allocatorProblems = ['overloaded', 'store-unavailable', 'shard-moving', 'not-ready'] as const;

export interface Success {
  readonly status: 200 | 201 | 202 | 204;
  readonly description: string;
  /** JSON, unless `mediaTypes` says otherwise. */
  readonly schema?: GenericSchema;
  /** Other representations. */
  readonly mediaTypes?: readonly string[];
  /** Name to meaning. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface RouteExample {
  /** With real ids and a query. */
  readonly target: string;
  readonly body?: unknown;
  readonly response?: unknown;
  /** The response when the answer is `pending`. */
  readonly pendingResponse?: unknown;
  /** The response when nothing but the plan was asked for. */
  readonly dryRunResponse?: unknown;
}

type OutputOf<Holder, Key extends string> = Holder extends { readonly [K in Key]: infer Schema }
  ? Schema extends GenericSchema
    ? InferOutput<Schema>
    : undefined
  : undefined;

/** A request that has passed everything its route asks for. */
export interface ApiRequest<R extends Route = Route> {
  readonly params: OutputOf<R, 'params'>;
  readonly query: OutputOf<R, 'query'>;
  readonly body: OutputOf<R, 'body'>;
  readonly userId: R['access'] extends Scope ? UserId : undefined;
  readonly idempotencyKey: R extends { readonly idempotencyKey: 'required' }
    ? IdempotencyKey
    : IdempotencyKey | undefined;
  readonly operatorName: R extends { readonly namesOperator: true } ? string : undefined;
  readonly exchange: Exchange;
}

export type Answer = HttpReply | Problem;

export type Endpoint<R extends Route = Route> = (request: ApiRequest<R>) => Answer | Promise<Answer>;

/** An endpoint for each route. */
export type Endpoints<Routes extends Readonly<Record<string, Route>>> = {
  readonly [Id in keyof Routes]: Endpoint<Routes[Id]>;
};
