import { createRemoteJWKSet, errors, type JWTVerifyGetKey, type ProtectedHeaderParameters } from 'jose';

/** A JWKS endpoint gets this long; a request waits for it only when its token is new. */
const fetchTimeoutMs = 3_000;

/** No HMAC: a public key must never be taken for a shared secret. */
const asymmetricAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** The issuer's keys can't be had: nothing is known of the token, good or bad. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

/** Keys for one kind of token. */
export interface VerificationKeys {
  readonly algorithms: readonly string[];
  readonly find: JWTVerifyGetKey;
}

export function sharedSecretKeys(secret: Uint8Array): VerificationKeys {
  return { algorithms: ['HS256'], find: () => secret };
}

export function remoteKeys(url: URL, timeoutMs = fetchTimeoutMs): VerificationKeys {
  const keys = createRemoteJWKSet(url, { timeoutDuration: timeoutMs });
  const find: JWTVerifyGetKey = async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (isTokensFault(error)) throw error;
      throw new KeysUnavailable(`no keys from ${url.origin}`, { cause: error });
    }
  };
  return { algorithms: asymmetricAlgorithms, find };
}

/** The key set was there, and has no key for this token. */
const isTokensFault = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;

/** Which keys a token asks for, by its header's algorithm; undefined when none are configured for it. */
export const keysFor = (
  header: ProtectedHeaderParameters,
  configured: readonly VerificationKeys[],
): VerificationKeys | undefined => configured.find(({ algorithms }) => algorithms.includes(header.alg ?? ''));
