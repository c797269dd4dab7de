import { decodeJwt } from 'jose';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { Scope } from '../../../../src/http/access/scope.ts';
import { tokenResponse } from '../../../../src/http/routes/response-schemas.ts';
import { call } from '../client.ts';
import { openPublicPort, secret } from '../open-port.ts';

const clients = [
  { id: 'web', secret: 'web:secret', scopes: ['reserve', 'pay'] as const satisfies readonly Scope[] },
  { id: 'till', secret: 'till-secret', scopes: ['points:charge'] as const satisfies readonly Scope[] },
];
const basic = (id: string, password: string) =>
  `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`;

const openClosed = () =>
  openPublicPort({
    tokens: {
      secret,
      issuer: 'usher',
      audience: 'box-office',
      ttlSeconds: 900,
      clients,
      isOpenToLoopback: false,
    },
  });

const ask = (port: number, body: object, headers: Record<string, string> = {}) =>
  call(port, '/auth/token', { method: 'POST', body, headers });

describe('a client', () => {
  test('gets a token for its user, with what it asks for', async () => {
    await using open = await openClosed();
    const headers = { authorization: basic('web', 'web:secret') };
    const answered = await ask(open.port, { userId: 'ada', scopes: ['reserve'] }, headers);
    expect(answered).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    const token = v.parse(tokenResponse, answered.json);
    expect(token).toMatchObject({ tokenType: 'Bearer', expiresInSeconds: 900, scope: 'reserve' });
    const claims = decodeJwt(token.accessToken);
    expect(claims).toMatchObject({ sub: 'ada', scope: 'reserve', iss: 'usher', aud: 'box-office' });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900);

    const authorization = `Bearer ${token.accessToken}`;
    expect((await call(open.port, '/reservations', { headers: { authorization } })).status).toBe(200);
  });

  test('that asks for nothing in particular gets all it has', async () => {
    await using open = await openClosed();
    const answered = await ask(open.port, { userId: 'ada' }, { authorization: basic('web', 'web:secret') });
    expect(answered.json).toMatchObject({ scope: 'reserve pay' });
  });

  test('grants no scope that it does not have', async () => {
    await using open = await openClosed();
    const headers = { authorization: basic('till', 'till-secret') };
    const answered = await ask(
      open.port,
      { userId: 'ada', scopes: ['points:charge', 'pay', 'reserve'] },
      headers,
    );
    expect(answered).toMatchObject({
      status: 403,
      json: {
        code: 'forbidden',
        missingScopes: ['pay', 'reserve'],
        detail: 'The client lacks pay, reserve.',
      },
    });
  });

  test.each([
    ['no credentials', undefined],
    ['a wrong secret', basic('web', 'web')],
    ['another client’s secret', basic('web', 'till-secret')],
    ['an unknown client', basic('nobody', '')],
    ['no colon', `Basic ${Buffer.from('web').toString('base64')}`],
    ['no base64', 'Basic ***'],
    ['a bearer token', 'Bearer web:secret'],
  ])('with %s', async (_name, authorization) => {
    await using open = await openClosed();
    const answered = await ask(
      open.port,
      { userId: 'ada' },
      authorization === undefined ? {} : { authorization },
    );
    expect(answered).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="usher", charset="UTF-8"' },
      json: { code: 'unauthenticated' },
    });
  });
});

describe('the demo', () => {
  test('gives anyone on this machine any scope', async () => {
    await using open = await openPublicPort();
    const answered = await ask(open.port, { userId: 'ada' });
    expect(answered.json).toMatchObject({ scope: 'reserve pay points:read points:charge' });
  });

  test('but not who comes through a proxy on this machine', async () => {
    await using open = await openPublicPort();
    for (const headers of [{ 'x-forwarded-for': '203.0.113.7' }, { forwarded: 'for=203.0.113.7' }]) {
      expect((await ask(open.port, { userId: 'ada' }, headers)).status).toBe(401);
    }
  });

  test('and not who offers wrong credentials', async () => {
    await using open = await openPublicPort();
    const answered = await ask(open.port, { userId: 'ada' }, { authorization: basic('web', 'guess') });
    expect(answered.status).toBe(401);
  });
});

test('a node without a secret of its own gives out no tokens', async () => {
  await using open = await openPublicPort({
    tokens: { jwksUrl: new URL('http://127.0.0.1:1/'), ttlSeconds: 60, clients, isOpenToLoopback: true },
  });
  expect(await ask(open.port, { userId: 'ada' })).toMatchObject({
    status: 404,
    json: { detail: 'Tokens for this node are issued elsewhere.' },
  });
});

test.each<[name: string, body: object, path: string]>([
  ['no user', {}, 'userId'],
  ['a wrong user', { userId: 'a b' }, 'userId'],
  ['a user that is too long', { userId: 'a'.repeat(65) }, 'userId'],
  ['scopes as text', { userId: 'ada', scopes: 'reserve' }, 'scopes'],
  ['no scopes', { userId: 'ada', scopes: [] }, 'scopes'],
  ['an unknown scope', { userId: 'ada', scopes: ['reserve', 'admin'] }, 'scopes[1]'],
  ['a lifetime', { userId: 'ada', ttlSeconds: 1e9 }, 'ttlSeconds'],
])('%s is refused', async (_name, body, path) => {
  await using open = await openPublicPort();
  expect(await ask(open.port, body)).toMatchObject({
    status: 400,
    json: { errors: [{ path, message: expect.any(String) }] },
  });
});
