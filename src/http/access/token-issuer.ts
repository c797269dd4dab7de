import { SignJWT } from 'jose';
import type { UserId } from '../../actors/allocator/ids.ts';
import type { Scope } from './scope.ts';

interface TokenIssuerOptions {
  /** At least 32 bytes. */
  readonly secret: Uint8Array;
  readonly issuer?: string;
  readonly audience?: string;
  readonly ttlSeconds: number;
  readonly nowMs: () => number;
}

/** Signs tokens that AccessTokens of any node with the same secret accepts. */
export class TokenIssuer {
  readonly #options: TokenIssuerOptions;

  constructor(options: TokenIssuerOptions) {
    this.#options = options;
  }

  get ttlSeconds(): number {
    return this.#options.ttlSeconds;
  }

  issue(user: UserId, scopes: readonly Scope[]): Promise<string> {
    const { secret, issuer, audience, ttlSeconds, nowMs } = this.#options;
    const issuedAt = Math.floor(nowMs() / 1000);
    const token = new SignJWT({ scope: scopes.join(' ') })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(user)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds);
    if (issuer !== undefined) token.setIssuer(issuer);
    if (audience !== undefined) token.setAudience(audience);
    return token.sign(secret);
  }
}
