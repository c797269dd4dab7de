import type { IncomingMessage } from 'node:http';
import { Problem } from '../answer/problem.ts';
import { bearerToken } from './authorization-header.ts';
import { isFromLoopback } from './loopback.ts';
import { Secret } from './secret.ts';

/** The admin port's own bearer token. */
export class OperatorAccess {
  readonly #token: Secret;

  constructor(token: string) {
    this.#token = new Secret(token);
  }

  /** Undefined when the caller may. */
  refuse(incoming: IncomingMessage, isLoopbackEnough: boolean): Problem | undefined {
    const token = bearerToken(incoming.headers.authorization);
    if (token === undefined && isLoopbackEnough && isFromLoopback(incoming)) return undefined;
    return token !== undefined && this.#token.matches(token) ? undefined : notTheOperator;
  }
}

const notTheOperator = new Problem(
  'unauthenticated',
  'Send the admin token: Authorization: Bearer <token>.',
  {},
  ['WWW-Authenticate', 'Bearer realm="usher-admin"'],
);
