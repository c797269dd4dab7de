import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { type UserId, userId } from '../../actors/allocator/ids.ts';
import { Problem, unavailable } from '../answer/problem.ts';
import { bearerToken } from './authorization-header.ts';
import { parseScopes, type Scope } from './scope.ts';
import { KeysUnavailable, keysFor, type VerificationKeys } from './verification-keys.ts';

/**
 * Who is calling. A token is verified once and then remembered, so that a request with a known token costs
 * a look-up. What is remembered is bounded in number and in bytes, ends with the token, and is verified anew
 * after a while, so that a withdrawn key stops counting.
 */
const rememberedMax = 50_000;
const rememberedBytesMax = 64 * 1024 * 1024;
const verifiedForMs = 10 * 60_000;
const retryAfterSeconds = 5;

interface AccessTokenOptions {
  readonly keys: readonly VerificationKeys[];
  readonly issuer?: string;
  readonly audience?: string;
  readonly nowMs: () => number;
}

interface VerifiedToken {
  readonly userId: UserId;
  readonly scopes: readonly Scope[];
  readonly rememberedUntilMs: number;
}

export class AccessTokens {
  readonly #options: AccessTokenOptions;
  /** By the whole header, so that a known one is not even taken apart. */
  readonly #verified = new LRUCache<string, VerifiedToken>({
    max: rememberedMax,
    maxSize: rememberedBytesMax,
    sizeCalculation: (_entry, authorization) => authorization.length + 300,
  });
  /** One verification a token, however many requests bring it. */
  readonly #underWay = new Map<string, Promise<VerifiedToken | Problem>>();

  constructor(options: AccessTokenOptions) {
    this.#options = options;
  }

  /** The user of a request, or why there is none; at once where the token is known. */
  authenticate(
    authorization: string | undefined,
    scope: Scope,
  ): UserId | Problem | Promise<UserId | Problem> {
    if (authorization === undefined) return missingToken;
    const known = this.#verified.get(authorization);
    if (known !== undefined && this.#options.nowMs() < known.rememberedUntilMs) return allow(known, scope);
    return this.#verifyOnce(authorization).then((verified) =>
      verified instanceof Problem ? verified : allow(verified, scope),
    );
  }

  #verifyOnce(authorization: string): Promise<VerifiedToken | Problem> {
    const underWay = this.#underWay.get(authorization);
    if (underWay !== undefined) return underWay;
    const verification = this.#verify(authorization).finally(() => this.#underWay.delete(authorization));
    this.#underWay.set(authorization, verification);
    return verification;
  }

  async #verify(authorization: string): Promise<VerifiedToken | Problem> {
    const token = bearerToken(authorization);
    if (token === undefined) return missingToken;
    const { issuer, audience, nowMs, keys } = this.#options;
    try {
      const configured = keysFor(decodeProtectedHeader(token), keys);
      if (configured === undefined) return invalidToken('its algorithm is not accepted');
      const { payload } = await jwtVerify(token, configured.find, {
        algorithms: [...configured.algorithms],
        requiredClaims: ['sub', 'exp'],
        currentDate: new Date(nowMs()),
        ...(issuer !== undefined && { issuer }),
        ...(audience !== undefined && { audience }),
      });
      return this.#remember(authorization, payload);
    } catch (error) {
      if (error instanceof KeysUnavailable) {
        return unavailable(
          'not-ready',
          'The keys of the token’s issuer can’t be fetched.',
          retryAfterSeconds,
        );
      }
      return invalidToken(faultOf(error));
    }
  }

  #remember(authorization: string, payload: JWTPayload): VerifiedToken | Problem {
    const user = userId(payload.sub ?? '');
    if (user === undefined) return invalidToken('its subject is not a user id');
    const { scope } = payload;
    const verified: VerifiedToken = {
      userId: user,
      scopes: typeof scope === 'string' ? parseScopes(scope) : [],
      rememberedUntilMs: Math.min((payload.exp ?? 0) * 1000, this.#options.nowMs() + verifiedForMs),
    };
    this.#verified.set(authorization, verified);
    return verified;
  }
}

const allow = (token: VerifiedToken, scope: Scope): UserId | Problem =>
  token.scopes.includes(scope) ? token.userId : missingScope(scope);

const missingToken = new Problem(
  'unauthenticated',
  'Send an access token: Authorization: Bearer <token>.',
  {},
  ['WWW-Authenticate', 'Bearer realm="usher"'],
);

/** @param fault reads on after "The access token is not accepted:". */
const invalidToken = (fault: string): Problem =>
  new Problem('unauthenticated', `The access token is not accepted: ${fault}.`, {}, [
    'WWW-Authenticate',
    `Bearer realm="usher", error="invalid_token", error_description="${fault}"`,
  ]);

const missingScope = (scope: Scope): Problem =>
  new Problem('forbidden', `The access token lacks the scope ${scope}.`, { missingScopes: [scope] }, [
    'WWW-Authenticate',
    `Bearer realm="usher", error="insufficient_scope", scope="${scope}"`,
  ]);

/** In words of our own: a library's message may quote the token. */
function faultOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf' ? 'it is not valid yet' : `its claim ${error.claim} is missing or wrong`;
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'its issuer has no such key';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  return 'it is not a signed token';
}
