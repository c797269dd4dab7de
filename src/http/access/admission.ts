import type { UserId } from '../../actors/allocator/ids.ts';
import { Problem } from '../answer/problem.ts';
import type { Exchange } from '../server/exchange.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Scope } from './scope.ts';

/** Lets a user's request in: the token has the scope, and a POST is within the user's rate. */
export class Admission {
  readonly #tokens: AccessTokens;
  readonly #rateLimit: RateLimit | undefined;

  constructor(tokens: AccessTokens, rateLimit: RateLimit | undefined) {
    this.#tokens = tokens;
    this.#rateLimit = rateLimit;
  }

  /** At once where the token is known and nothing is counted. */
  admit({ incoming }: Exchange, scope: Scope): UserId | Problem | Promise<UserId | Problem> {
    const user = this.#tokens.authenticate(incoming.headers.authorization, scope);
    return this.#rateLimit === undefined || incoming.method !== 'POST'
      ? user
      : countRequest(user, this.#rateLimit);
  }
}

async function countRequest(
  pending: UserId | Problem | Promise<UserId | Problem>,
  rateLimit: RateLimit,
): Promise<UserId | Problem> {
  const user = await pending;
  return user instanceof Problem ? user : ((await rateLimit.consume(user)) ?? user);
}
