import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AccessTokens } from '../../../../src/http/access/access-tokens.ts';
import {
  remoteKeys,
  sharedSecretKeys,
  type VerificationKeys,
} from '../../../../src/http/access/verification-keys.ts';
import { Problem } from '../../../../src/http/answer/problem.ts';

const secret = new TextEncoder().encode('a secret of thirty-two bytes or more');
const now = Date.UTC(2026, 11, 1, 11);
const nowSeconds = now / 1000;
const claims = { sub: 'ada', exp: nowSeconds + 60, scope: 'reserve points:read unknown' };

const sign = (payload: JWTPayload, key: Uint8Array = secret) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(key);

const accessTokens = (options: Partial<ConstructorParameters<typeof AccessTokens>[0]> = {}) =>
  new AccessTokens({ keys: [sharedSecretKeys(secret)], nowMs: () => now, ...options });

async function outcomeOf(token: string, tokens = accessTokens()): Promise<unknown> {
  return tokens.authenticate(`Bearer ${token}`, 'reserve');
}

describe('a token that is taken', () => {
  test('tells the user', async () => {
    expect(await outcomeOf(await sign(claims))).toBe('ada');
  });

  test.each(['bearer', 'BEARER', 'Bearer '])('as %s', async (scheme) => {
    expect(await accessTokens().authenticate(`${scheme} ${await sign(claims)}`, 'reserve')).toBe('ada');
  });

  test('with the issuer and the audience that are asked for', async () => {
    const tokens = accessTokens({ issuer: 'https://id.example', audience: 'usher' });
    const token = await sign({ ...claims, iss: 'https://id.example', aud: ['web', 'usher'] });
    expect(await outcomeOf(token, tokens)).toBe('ada');
  });
});

describe('a token that is refused', () => {
  test.each<[name: string, changes: Readonly<Record<string, unknown>>, detail: string]>([
    ['no subject', { sub: undefined }, 'its claim sub is missing or wrong'],
    ['a subject that is no user', { sub: 'ada lovelace' }, 'its subject is not a user id'],
    ['no end', { exp: undefined }, 'its claim exp is missing or wrong'],
    ['expired', { exp: nowSeconds }, 'it has expired'],
    ['not yet valid', { nbf: nowSeconds + 1 }, 'it is not valid yet'],
    ['another issuer', { iss: 'https://evil.example' }, 'its claim iss is missing or wrong'],
    ['another audience', { aud: 'other' }, 'its claim aud is missing or wrong'],
  ])('%s', async (_name, changes, fault) => {
    const tokens = accessTokens({ issuer: 'https://id.example', audience: 'usher' });
    const payload = { ...claims, iss: 'https://id.example', aud: 'usher', ...changes };
    expect(await outcomeOf(await sign(payload as JWTPayload), tokens)).toMatchObject({
      code: 'unauthenticated',
      detail: `The access token is not accepted: ${fault}.`,
      headers: ['WWW-Authenticate', expect.stringContaining('error="invalid_token"')],
    });
  });

  test('signed with another secret', async () => {
    const token = await sign(claims, new TextEncoder().encode('another secret of thirty-two bytes!!'));
    expect(await outcomeOf(token)).toMatchObject({
      detail: 'The access token is not accepted: its signature is wrong.',
    });
  });

  test('its payload was changed', async () => {
    const [header, , signature] = (await sign(claims)).split('.');
    const payload = Buffer.from(JSON.stringify({ ...claims, sub: 'eve' })).toString('base64url');
    expect(await outcomeOf(`${header}.${payload}.${signature}`)).toBeInstanceOf(Problem);
  });

  test('not signed at all', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    expect(await outcomeOf(`${part({ alg: 'none' })}.${part(claims)}.`)).toMatchObject({
      detail: 'The access token is not accepted: its algorithm is not accepted.',
    });
  });

  test.each(['x', 'a.b.c', 'e30.e30.e30', '…'])('no token: %s', async (token) => {
    expect(await outcomeOf(token)).toMatchObject({ code: 'unauthenticated' });
  });

  test.each([undefined, '', 'Basic YWRhOmFkYQ=='])('Authorization: %s', async (header) => {
    expect(await accessTokens().authenticate(header, 'reserve')).toMatchObject({
      code: 'unauthenticated',
      headers: ['WWW-Authenticate', 'Bearer realm="usher"'],
    });
  });

  test('no scope for it', async () => {
    const tokens = accessTokens();
    const header = `Bearer ${await sign(claims)}`;
    const refused = {
      code: 'forbidden',
      detail: 'The access token lacks the scope pay.',
      members: { missingScopes: ['pay'] },
      headers: ['WWW-Authenticate', 'Bearer realm="usher", error="insufficient_scope", scope="pay"'],
    };
    expect(await tokens.authenticate(header, 'pay')).toMatchObject(refused);
    expect(tokens.authenticate(header, 'pay'), 'remembered').toMatchObject(refused);
  });

  test('a scope list that is no text gives no scope', async () => {
    const payload = { ...claims, scope: ['reserve'] } as JWTPayload;
    expect(await outcomeOf(await sign(payload))).toMatchObject({ code: 'forbidden' });
  });
});

describe('remembering', () => {
  function counting(): { readonly keys: VerificationKeys; verifications: number } {
    const counter = {
      verifications: 0,
      keys: {
        algorithms: ['HS256'],
        find: () => {
          counter.verifications += 1;
          return secret;
        },
      },
    };
    return counter;
  }

  test('a token is verified once, and known at once from then on', async () => {
    const counter = counting();
    const tokens = accessTokens({ keys: [counter.keys] });
    const header = `Bearer ${await sign(claims)}`;
    const first = Array.from({ length: 10 }, () => tokens.authenticate(header, 'reserve'));
    expect(await Promise.all(first)).toEqual(Array(10).fill('ada'));
    expect(tokens.authenticate(header, 'reserve')).toBe('ada');
    expect(counter.verifications).toBe(1);
  });

  test('ends with the token', async () => {
    let time = now;
    const tokens = accessTokens({ nowMs: () => time });
    const header = `Bearer ${await sign(claims)}`;
    expect(await tokens.authenticate(header, 'reserve')).toBe('ada');
    time = now + 59_999;
    expect(tokens.authenticate(header, 'reserve')).toBe('ada');
    time = now + 60_000;
    expect(await tokens.authenticate(header, 'reserve')).toMatchObject({ code: 'unauthenticated' });
  });

  test('a long-lived token is verified anew after ten minutes', async () => {
    const counter = counting();
    let time = now;
    const tokens = accessTokens({ keys: [counter.keys], nowMs: () => time });
    const header = `Bearer ${await sign({ ...claims, exp: nowSeconds + 86_400 })}`;
    await tokens.authenticate(header, 'reserve');
    time += 10 * 60_000;
    await tokens.authenticate(header, 'reserve');
    expect(counter.verifications).toBe(2);
  });

  test('a refused token is not remembered', async () => {
    const counter = counting();
    const tokens = accessTokens({ keys: [counter.keys] });
    const header = `Bearer ${await sign({ ...claims, exp: nowSeconds - 1 })}`;
    await tokens.authenticate(header, 'reserve');
    await tokens.authenticate(header, 'reserve');
    expect(counter.verifications).toBe(2);
  });
});

describe('keys from another issuer', () => {
  let server: Server;
  let url: URL;
  let privateKey: CryptoKey;
  let respond: () => { readonly status: number; readonly body: string } | undefined;
  let keySet: string;

  beforeAll(async () => {
    const pair = await generateKeyPair('ES256');
    privateKey = pair.privateKey;
    keySet = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }] });
    server = createServer((_request, response) => {
      const answer = respond();
      if (answer !== undefined) response.writeHead(answer.status).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const signed = (kid = 'k1') =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
  const fromIssuer = () => accessTokens({ keys: [remoteKeys(url, 200)] });

  test('are fetched', async () => {
    respond = () => ({ status: 200, body: keySet });
    expect(await outcomeOf(await signed(), fromIssuer())).toBe('ada');
  });

  test('that do not have the token’s key', async () => {
    respond = () => ({ status: 200, body: keySet });
    expect(await outcomeOf(await signed('k2'), fromIssuer())).toMatchObject({
      code: 'unauthenticated',
      detail: 'The access token is not accepted: its issuer has no such key.',
    });
  });

  test('are never taken for a shared secret', async () => {
    respond = () => ({ status: 200, body: keySet });
    expect(await outcomeOf(await sign(claims, new TextEncoder().encode(keySet)), fromIssuer())).toMatchObject(
      {
        code: 'unauthenticated',
      },
    );
  });

  test('beside a secret of our own: each for its own algorithm', async () => {
    respond = () => ({ status: 200, body: keySet });
    const tokens = accessTokens({ keys: [sharedSecretKeys(secret), remoteKeys(url, 200)] });
    expect(await outcomeOf(await signed(), tokens)).toBe('ada');
    expect(await outcomeOf(await sign(claims), tokens)).toBe('ada');
  });

  test.each<[name: string, answer: ReturnType<typeof respond>]>([
    ['not to be had', { status: 503, body: '' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['no key set', { status: 200, body: '{}' }],
    ['not there in time', undefined],
  ])('that are %s say nothing of the token', async (_name, answer) => {
    respond = () => answer;
    expect(await outcomeOf(await signed(), fromIssuer())).toMatchObject({
      code: 'not-ready',
      headers: ['Retry-After', '5'],
    });
  });

  test('from nowhere', async () => {
    const tokens = accessTokens({ keys: [remoteKeys(new URL('http://127.0.0.1:1/'), 200)] });
    expect(await outcomeOf(await signed(), tokens)).toMatchObject({ code: 'not-ready' });
  });
});
