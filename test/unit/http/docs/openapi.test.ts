import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { problemCodes, problemKinds } from '../../../../src/http/answer/error-response.ts';
import { openApiDocument } from '../../../../src/http/docs/openapi.ts';
import { routeTable } from '../../../../src/http/routes/route-table.ts';
import { call } from '../client.ts';
import { openPublicPort } from '../open-port.ts';

const table = routeTable(10);
const document = openApiDocument(table, '1.2.3');
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

const operationOf = (id: string) =>
  operations.find(({ operation }) => operation.operationId === id)?.operation;
const holdOperation = operationOf('createReservation');

/** Every object inside a value, with its path. */
function* objectsIn(value: unknown, path = '#'): Generator<[path: string, object: Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>];
  for (const [key, inside] of Object.entries(value)) yield* objectsIn(inside, `${path}/${key}`);
}

describe('the OpenAPI document', () => {
  test('is an OpenAPI 3.1 document', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Usher', version: '1.2.3', description: expect.any(String) },
    });
    for (const { path, operation } of operations) {
      expect(operation.responses, path).not.toEqual({});
      for (const { description } of Object.values(operation.responses)) expect(description).toMatch(/\S/);
    }
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  test('has every route of the table, and no other', () => {
    expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(
      table.map(({ route }) => `${route.method} ${route.path}`).sort(),
    );
    expect(operations.length).toBeGreaterThan(20);
  });

  test('names every operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(operations)('$method $path declares what is in its path', ({ path, operation }) => {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = operation.parameters.filter((parameter) => parameter.in === 'path');
    expect(declared.map(({ name }) => name)).toEqual(inPath);
    expect(declared.every(({ required }) => required)).toBe(true);
  });

  test('refers only to what it has', () => {
    const references = [...objectsIn(document)].flatMap(([, { $ref }]) =>
      typeof $ref === 'string' ? [$ref] : [],
    );
    expect(references.length).toBeGreaterThan(40);
    for (const reference of new Set(references)) {
      const found = reference
        .split('/')
        .slice(1)
        .reduce<unknown>((inside, key) => (inside as Record<string, unknown>)[key], document);
      expect(found, reference).toBeTypeOf('object');
    }
  });

  test('uses only security schemes that it has', () => {
    for (const { operation } of operations) {
      for (const name of operation.security.flatMap(Object.keys)) {
        expect(document.components.securitySchemes).toHaveProperty(name);
      }
    }
  });

  test('requires only properties that its schemas have', () => {
    for (const [path, { required, properties }] of objectsIn(document.components.schemas)) {
      if (!Array.isArray(required) || properties === undefined) continue;
      for (const name of required) expect(properties, path).toHaveProperty(name);
    }
  });

  test('has patterns that are regular expressions', () => {
    for (const [path, { pattern }] of objectsIn(document)) {
      if (typeof pattern === 'string') expect(() => new RegExp(pattern, 'u'), path).not.toThrow();
    }
  });

  test('tells every code of the error table', () => {
    const { Problem } = document.components.schemas;
    expect(Problem).toMatchObject({ properties: { code: { enum: problemCodes } } });
  });

  test.each(operations)('$method $path lists its codes under their statuses', ({ operation }) => {
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      if (content?.['application/problem+json'] === undefined) continue;
      const codes = [...description.matchAll(/`([a-z-]+)`/g)].map(
        ([, code]) => code as keyof typeof problemKinds,
      );
      expect(codes).not.toEqual([]);
      for (const code of codes) expect(problemKinds[code]?.status, code).toBe(Number(status));
    }
  });

  test('says of a hold what the schema demands', () => {
    const schema = holdOperation?.requestBody?.content['application/json']?.schema;
    expect(schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['scheduleId'],
      oneOf: [{ required: ['seatIds'] }, { required: ['bestAvailable'] }],
      properties: {
        scheduleId: { type: 'integer', minimum: 1 },
        seatIds: { type: 'array', minItems: 1, maxItems: 10, items: { type: 'string' } },
        bestAvailable: {
          additionalProperties: false,
          required: ['quantity'],
          properties: {
            quantity: { type: 'integer', minimum: 1, maximum: 10 },
            adjacent: { type: 'boolean', default: true },
          },
        },
      },
    });
  });

  test('says of a payment what the schema demands, and both of its answers', () => {
    const operation = operationOf('payReservation');
    const schema = operation?.requestBody?.content['application/json']?.schema;
    expect(schema).toMatchObject({
      additionalProperties: false,
      required: ['reservationId', 'method'],
      oneOf: [
        { properties: { method: { const: 'points' }, cardToken: false } },
        { properties: { method: { const: 'card' } }, required: ['cardToken'] },
      ],
      properties: { method: { enum: ['points', 'card'] }, cardToken: { type: 'string' } },
    });
    const content = { 'application/json': { schema: { $ref: '#/components/schemas/Reservation' } } };
    expect(operation?.responses).toMatchObject({
      200: { content, headers: { 'Idempotency-Replayed': {} } },
      202: { content, headers: { Location: {}, 'Retry-After': {} } },
      402: { description: '`insufficient-points`, `payment-declined`' },
      503: { description: expect.stringContaining('`gateway-unavailable`') },
    });
    expect(operation?.responses).not.toHaveProperty('201');
  });

  test('says where an Idempotency-Key may be sent and where it must', () => {
    const needs = operations.flatMap(({ operation: { operationId, parameters } }) =>
      parameters
        .filter(({ name }) => name === 'Idempotency-Key')
        .map(({ required }) => `${operationId}: ${required ? 'must' : 'may'}`),
    );
    expect(needs.sort()).toEqual([
      'chargePoints: must',
      'createPerformance: may',
      'createReservation: may',
      'createSchedule: may',
      'createVenue: may',
      'extendReservation: may',
      'payReservation: may',
    ]);
  });

  test('says where an operator may say who they are', () => {
    const named = operations.filter(({ operation: { parameters } }) =>
      parameters.some((parameter) => parameter.name === 'Usher-Operator' && !parameter.required),
    );
    expect(named.map(({ operation }) => operation.operationId).sort()).toEqual([
      'drainNode',
      'moveShard',
      'rebalanceCluster',
    ]);
  });

  test('says of a rebalance what is answered with and without a dry run', () => {
    const answered = (name: string) => ({
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
    });
    expect(operationOf('rebalanceCluster')).toMatchObject({
      requestBody: { required: false },
      responses: {
        200: answered('RebalancePlan'),
        202: answered('PlannedMoves'),
        409: { description: '`not-a-cluster`, `not-possible`' },
        503: { description: expect.stringContaining('`registry-unavailable`') },
      },
    });
  });

  test('names the scope of each call', () => {
    const scopeOf = (id: string) => operationOf(id)?.security;
    expect(scopeOf('payReservation')).toEqual([{ user: ['pay'] }]);
    expect(scopeOf('chargePoints')).toEqual([{ user: ['points:charge'] }]);
    expect(scopeOf('readBalance')).toEqual([{ user: ['points:read'] }]);
    expect(scopeOf('listEntries')).toEqual([{ user: ['points:read'] }]);
  });
});

describe('the examples', () => {
  test.each(table)('of $id are what its schemas take and give', ({ route }) => {
    const { body, success, pending, dryRun, example } = route;
    if (body !== undefined && route.isBodyOptional !== true) expect(v.is(body, example.body)).toBe(true);
    if (success.schema !== undefined) expect(v.is(success.schema, example.response)).toBe(true);
    if (pending?.schema !== undefined) {
      expect(v.is(pending.schema, example.pendingResponse)).toBe(true);
    }
    if (dryRun?.schema !== undefined) expect(v.is(dryRun.schema, example.dryRunResponse)).toBe(true);
  });

  test.each(table)('of $id call its path', ({ route }) => {
    const { pathname } = new URL(route.example.target, 'http://usher');
    const pattern = route.path.replaceAll(/\{\w+\}/g, '[^/]+');
    expect(pathname).toMatch(new RegExp(`^${pattern}$`));
  });

  test('curl as it should be typed', () => {
    const [sample] = holdOperation?.['x-codeSamples'] ?? [];
    expect(sample?.source).toBe(
      [
        'curl',
        '-X POST',
        "'http://127.0.0.1:8080/reservations'",
        '-H "Authorization: Bearer $TOKEN"',
        "-H 'Idempotency-Key: try-createReservation'",
        "-H 'Content-Type: application/json'",
        `-d '{"scheduleId":1,"bestAvailable":{"quantity":2}}'`,
      ].join(' \\\n  '),
    );
  });
});

test('no two examples share a key: the second would be told that it was used', () => {
  const keys = operations.flatMap(({ operation }) =>
    (operation['x-codeSamples'] ?? []).flatMap(
      ({ source }) => /-H 'Idempotency-Key: ([^']+)'/.exec(source)?.[1] ?? [],
    ),
  );
  expect(keys).toHaveLength(7);
  expect(new Set(keys).size).toBe(7);
});

test('it is served', async () => {
  await using open = await openPublicPort({ version: '1.2.3' });
  const answered = await call(open.port, '/openapi.json');
  expect(answered).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
  expect(answered.json).toEqual(document);
});
