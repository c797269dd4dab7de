import type { GenericSchema } from 'valibot';
import type { IdempotencyKey, UserId } from '../../actors/allocator/ids.ts';
import { Problem } from '../answer/problem.ts';
import { readIdempotencyKey } from '../input/idempotency-key.ts';
import { checkJsonMediaType } from '../input/media-type.ts';
import { readOperatorName } from '../input/operator-name.ts';
import { noFields } from '../input/request-schemas.ts';
import { parseStrictJson } from '../input/strict-json.ts';
import { queryOf, readQuery, validate } from '../input/validation.ts';
import type { Exchange } from '../server/exchange.ts';
import { bodyTooLarge, declaresTooLarge, readBody } from '../server/request-body.ts';
import type { Access, Answer, ApiRequest, Endpoint, Route } from './route.ts';

/** Lets a request in: the user, undefined where the route needs none, or a refusal. */
export type Gate = (
  exchange: Exchange,
  access: Access,
) => UserId | undefined | Problem | Promise<UserId | undefined | Problem>;

/**
 * Takes a request through everything its route asks for, then to its endpoint. What is cheap and what guards
 * comes first: size as declared, access, headers, path and query; the body is read when all that is well.
 */
export async function serveRoute(route: Route, endpoint: Endpoint, context: ServeContext): Promise<Answer> {
  const { exchange, bodyBytesMax } = context;
  const { incoming } = exchange;
  if (declaresTooLarge(exchange, bodyBytesMax)) return bodyTooLarge(bodyBytesMax);
  const userId = await context.gate(exchange, route.access);
  if (userId instanceof Problem) return userId;

  const idempotencyKey =
    route.idempotencyKey && readIdempotencyKey(incoming.headers['idempotency-key'], route.idempotencyKey);
  if (idempotencyKey instanceof Problem) return idempotencyKey;
  const operatorName = route.namesOperator && readOperatorName(incoming.headers['usher-operator']);
  if (operatorName instanceof Problem) return operatorName;
  const params = validate(route.params ?? noFields, context.params);
  if (!params.ok) return params.problem;
  const read = readQuery(queryOf(incoming));
  if (!read.ok) return read.problem;
  const query = validate(route.query ?? noFields, read.input);
  if (!query.ok) return query.problem;

  let body: unknown;
  if (route.body !== undefined) {
    const found = await readJson(context, route.body, route.isBodyOptional === true);
    if (found instanceof Problem) return found;
    body = found.value;
  }
  const request: AnyRequest = {
    params: params.value,
    query: query.value,
    body,
    userId,
    idempotencyKey,
    operatorName,
    exchange,
  };
  return endpoint(request as ApiRequest);
}

interface ServeContext {
  readonly exchange: Exchange;
  readonly params: Readonly<Record<string, string>>;
  readonly gate: Gate;
  readonly bodyBytesMax: number;
}

/** The route's schemas have made the values what its endpoint's types say; only here types can't follow. */
interface AnyRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly userId: UserId | undefined;
  readonly idempotencyKey: IdempotencyKey | undefined;
  readonly operatorName: string | undefined;
  readonly exchange: Exchange;
}

async function readJson(
  { exchange, bodyBytesMax }: ServeContext,
  schema: GenericSchema,
  isOptional: boolean,
): Promise<{ readonly value: unknown } | Problem> {
  const { headers } = exchange.incoming;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (isOptional && !hasBody) return readAs(schema, {});
  const mediaType = checkJsonMediaType(headers);
  if (mediaType !== undefined) return mediaType;
  const bytes = await new Promise<Buffer | undefined>((resolve) => {
    readBody(exchange, bodyBytesMax, resolve);
  });
  if (bytes === undefined) return bodyTooLarge(bodyBytesMax);
  const input = parseStrictJson(bytes);
  if (input instanceof Problem) return input;
  return readAs(schema, input);
}

function readAs(schema: GenericSchema, input: unknown): { readonly value: unknown } | Problem {
  const checked = validate(schema, input);
  return checked.ok ? { value: checked.value } : checked.problem;
}
