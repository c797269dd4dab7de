import { constants, hkdfSync } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/** Names the key that is meant, not the node: every node of a cluster has the same. */
export const pskIdentity = 'usher/1';

/** @param secret CLUSTER_SECRET: 32 bytes at least, as config.ts sees to. It is never itself a key. */
export function clusterKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'usher cluster: key of the internal port', 32));
}

/**
 * Both ends prove that they have the key, and nobody needs a certificate. In Node a pre-shared key is for TLS 1.2
 * only; the ephemeral exchange keeps what was recorded unreadable when the secret becomes known later. A session is
 * never resumed, and never negotiated anew.
 */
export const pskTls = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions;
