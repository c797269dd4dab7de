import type { IncomingMessage } from 'node:http';
import { Problem } from '../answer/problem.ts';
import { basicCredentials } from './authorization-header.ts';
import { isFromLoopback } from './loopback.ts';
import { type Scope, scopes } from './scope.ts';
import { Secret } from './secret.ts';

/** A trusted front end, which asks for tokens in its users' names. */
export interface TokenClient {
  readonly id: string;
  readonly secret: string;
  readonly scopes: readonly Scope[];
}

/** Who may have tokens issued, and with which scopes. */
export class ClientCredentials {
  readonly #clients: ReadonlyMap<string, { readonly secret: Secret; readonly scopes: readonly Scope[] }>;
  /** The demo: whoever is on this machine needs no credentials. */
  readonly #isOpenToLoopback: boolean;

  constructor(clients: readonly TokenClient[], isOpenToLoopback: boolean) {
    this.#clients = new Map(
      clients.map((client) => [client.id, { secret: new Secret(client.secret), scopes: client.scopes }]),
    );
    this.#isOpenToLoopback = isOpenToLoopback;
  }

  /** The scopes that the caller may hand on. */
  grantable(incoming: IncomingMessage): readonly Scope[] | Problem {
    const { authorization } = incoming.headers;
    if (authorization === undefined && this.#isOpenToLoopback && isFromLoopback(incoming)) return scopes;
    const credentials = basicCredentials(authorization);
    // An unknown client costs the same comparison as a known one.
    const client = this.#clients.get(credentials?.id ?? '');
    const matches = (client?.secret ?? nobody).matches(credentials?.secret ?? '');
    return client !== undefined && matches ? client.scopes : unknownClient;
  }
}

const nobody = new Secret('');

const unknownClient = new Problem(
  'unauthenticated',
  'Send the client’s credentials with HTTP Basic authentication.',
  {},
  ['WWW-Authenticate', 'Basic realm="usher", charset="UTF-8"'],
);
