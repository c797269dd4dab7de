import type { Route } from '../routes/route.ts';

/** Ports as they are by default. */
export const exampleOrigins = { public: 'http://127.0.0.1:8080', admin: 'http://127.0.0.1:8081' } as const;

/**
 * A command line that calls the route, with $TOKEN or $ADMIN_TOKEN where one is needed. A key of its own for
 * each operation: somebody who tries one after the other must not be told that a key was used.
 */
export function curlExample(id: string, { port, method, access, idempotencyKey, example }: Route): string {
  const parts = ['curl'];
  if (method !== 'GET') parts.push(`-X ${method}`);
  parts.push(quoted(`${exampleOrigins[port]}${example.target}`));
  if (access === 'operator') parts.push('-H "Authorization: Bearer $ADMIN_TOKEN"');
  else if (access !== 'open' && access !== 'operator-or-loopback') {
    parts.push('-H "Authorization: Bearer $TOKEN"');
  }
  if (idempotencyKey !== undefined) parts.push(`-H 'Idempotency-Key: try-${id}'`);
  if (example.body !== undefined) {
    parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(example.body))}`);
  }
  return parts.join(' \\\n  ');
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
