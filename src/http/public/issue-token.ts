import type { ClientCredentials } from '../access/client-credentials.ts';
import type { TokenIssuer } from '../access/token-issuer.ts';
import { Problem } from '../answer/problem.ts';
import { jsonReply } from '../answer/reply.ts';
import type { PublicRoutes } from '../routes/public-routes.ts';
import type { Endpoint } from '../routes/route.ts';

/** POST /auth/token. Without an issuer of its own, a node takes tokens from elsewhere and gives out none. */
export function issueToken(
  credentials: ClientCredentials,
  issuer: TokenIssuer | undefined,
): Endpoint<PublicRoutes['issueToken']> {
  return async ({ exchange, body }) => {
    if (issuer === undefined) {
      return new Problem('not-found', 'Tokens for this node are issued elsewhere.');
    }
    const grantable = credentials.grantable(exchange.incoming);
    if (grantable instanceof Problem) return grantable;
    const wanted = [...new Set(body.scopes ?? grantable)];
    const missingScopes = wanted.filter((scope) => !grantable.includes(scope));
    if (missingScopes.length > 0) {
      return new Problem('forbidden', `The client lacks ${missingScopes.join(', ')}.`, { missingScopes });
    }
    const token = {
      accessToken: await issuer.issue(body.userId, wanted),
      tokenType: 'Bearer',
      expiresInSeconds: issuer.ttlSeconds,
      scope: wanted.join(' '),
    };
    return jsonReply(200, token, ['Cache-Control', 'no-store']);
  };
}
