import type { JsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema, ObjectEntries } from 'valibot';
import { problemKinds } from '../answer/error-response.ts';
import type { ProblemCode } from '../answer/problem.ts';
import type { KeyNeed } from '../input/idempotency-key.ts';
import { anonymousOperator, operatorNamePattern } from '../input/operator-name.ts';
import type { Route, Success } from '../routes/route.ts';
import type { NumberedRoute } from '../routes/route-table.ts';
import { curlExample, exampleOrigins } from './curl-example.ts';
import { componentSchemas, jsonSchemaOf } from './openapi-components.ts';

/** The parts of an OpenAPI 3.1 document that Usher's has. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly [Route['port']];
  readonly summary: string;
  readonly description?: string;
  readonly servers?: readonly { readonly url: string }[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, OperationResponse>>;
  readonly 'x-codeSamples': readonly { readonly lang: 'Shell'; readonly source: string }[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export interface OperationResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>>;
  readonly content?: Content;
}

type Content = Readonly<Record<string, { readonly schema?: JsonSchema; readonly example?: unknown }>>;

const description =
  'Seats for ticket drops: held, all or none, and answered only when that is on disk. Money is an integer ' +
  'in minor units, times are UTC. Every answer has an `X-Request-Id`; send your own and it is kept.';

/** @param version of Usher. */
export function openApiDocument(table: readonly NumberedRoute[], version: string): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const { id, route } of table) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: toOperation(id, route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Usher', version, description },
    servers: [{ url: '/' }],
    tags: [
      { name: 'public', description: 'For buyers and the front ends that serve them: the port `PORT`.' },
      { name: 'admin', description: 'For operators, with their own token: the port `ADMIN_PORT`.' },
    ],
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        user: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: '`sub` is the user' },
        operator: { type: 'http', scheme: 'bearer', description: 'The admin token' },
        client: { type: 'http', scheme: 'basic', description: 'A trusted front end' },
      },
    },
  };
}

const toOperation = (id: string, route: Route): Operation => ({
  operationId: id,
  tags: [route.port],
  summary: route.summary,
  ...(route.description !== undefined && { description: route.description }),
  ...(route.port === 'admin' && { servers: [{ url: exampleOrigins.admin }] }),
  security: securityOf(id, route),
  parameters: [
    ...parametersOf('path', route.params),
    ...parametersOf('query', route.query),
    ...(route.idempotencyKey === undefined ? [] : [keyParameter(route.idempotencyKey)]),
    ...(route.namesOperator === true ? [operatorParameter] : []),
  ],
  ...(route.body !== undefined && {
    requestBody: {
      required: route.isBodyOptional !== true,
      content: { 'application/json': withExample(route.body, route.example.body) },
    },
  }),
  responses: {
    [route.success.status]: successOf(route.success, route.example.response),
    ...(route.pending !== undefined && {
      [route.pending.status]: successOf(route.pending, route.example.pendingResponse),
    }),
    ...(route.dryRun !== undefined && {
      [route.dryRun.status]: successOf(route.dryRun, route.example.dryRunResponse),
    }),
    ...problemResponses(problemsOf(route)),
  },
  'x-codeSamples': [{ lang: 'Shell', source: curlExample(id, route) }],
});

function securityOf(id: string, { access }: Route): Operation['security'] {
  if (id === 'issueToken') return [{ client: [] }, {}];
  if (access === 'open') return [];
  if (access === 'operator') return [{ operator: [] }];
  return access === 'operator-or-loopback' ? [{ operator: [] }, {}] : [{ user: [access] }];
}

const keyParameter = (need: KeyNeed): Parameter => ({
  name: 'Idempotency-Key',
  in: 'header',
  required: need === 'required',
  description:
    'Remembered for 24 hours: the same request under the same key gets the first answer again. A key belongs ' +
    'to the user and, where the request is about one, to the schedule.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
});

const operatorParameter: Parameter = {
  name: 'Usher-Operator',
  in: 'header',
  required: false,
  description: `Who asks, for the audit log; \`${anonymousOperator}\` when it is left out.`,
  schema: { type: 'string', pattern: operatorNamePattern.source },
};

function parametersOf(place: 'path' | 'query', schema: GenericSchema | undefined): readonly Parameter[] {
  if (schema === undefined) return [];
  const { entries } = schema as GenericSchema & { readonly entries: ObjectEntries };
  return Object.entries(entries).map(([name, entry]) => ({
    name,
    in: place,
    required: entry.type !== 'optional',
    schema: jsonSchemaOf(entry as GenericSchema),
  }));
}

const withExample = (schema: GenericSchema, example: unknown) => ({
  schema: jsonSchemaOf(schema),
  ...(example !== undefined && { example }),
});

function successOf(success: Success, example: unknown): OperationResponse {
  const { schema, mediaTypes = [], headers } = success;
  const content: Content = {
    ...(schema !== undefined && { 'application/json': withExample(schema, example) }),
    ...Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, {}])),
  };
  return {
    description: success.description,
    ...(headers !== undefined && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, meaning]) => [
          name,
          { description: meaning, schema: { type: 'string' as const } },
        ]),
      ),
    }),
    ...(Object.keys(content).length > 0 && { content }),
  };
}

/** Those of the route itself, and those that its parts bring with them. */
function problemsOf(route: Route): ReadonlySet<ProblemCode> {
  const problems = new Set<ProblemCode>(route.problems);
  const add = (...codes: readonly ProblemCode[]) => {
    for (const code of codes) problems.add(code);
  };
  const isUsers = route.access !== 'open' && route.port === 'public';
  if (route.access !== 'open') add('unauthenticated');
  if (isUsers) add('forbidden', 'not-ready');
  if (isUsers && route.method === 'POST') add('rate-limited');
  if (route.params ?? route.query ?? route.body ?? route.namesOperator) add('invalid-request');
  if (route.body !== undefined) add('malformed-json', 'unsupported-media-type', 'body-too-large');
  add('internal-error');
  return problems;
}

/** One response a status, with the codes that it may have. */
function problemResponses(codes: ReadonlySet<ProblemCode>): Record<string, OperationResponse> {
  const responses: Record<string, OperationResponse> = {};
  for (const code of codes) {
    const { status } = problemKinds[code];
    const listed = responses[status]?.description;
    responses[status] = {
      description: listed === undefined ? `\`${code}\`` : `${listed}, \`${code}\``,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return responses;
}
