/** What went wrong on a connection before both ends had greeted each other, in words that say what to do. */
export function connectionFault(error: Error): string {
  const { code = '', message } = error as Error & { readonly code?: string };
  const [meaning] = meanings.find(([, codes]) => codes.test(code)) ?? [];
  // OpenSSL's own messages name a line of its source and no cause.
  return meaning === undefined ? message || code : `${meaning} (${code})`;
}

const meanings: readonly (readonly [meaning: string, codes: RegExp])[] = [
  // One end can't read what the other has sealed with another key, and says so to it.
  ['its CLUSTER_SECRET is another one', /BAD_RECORD_MAC|DECRYPT/],
  ['it does not know this cluster’s kind of secret', /PSK_IDENTITY/],
  ['it speaks HTTP: this port is for nodes of the cluster only', /HTTP_REQUEST/],
  ['what speaks there is no node of a cluster', /WRONG_VERSION_NUMBER|PACKET_LENGTH|UNEXPECTED_MESSAGE/],
  ['it asks for certificates, which nodes of a cluster do without', /NO_SHARED_CIPHER|HANDSHAKE_FAILURE/],
  ['it does not speak', /TLS_HANDSHAKE_TIMEOUT/],
];
