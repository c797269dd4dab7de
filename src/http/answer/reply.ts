/** A response before it is written. */
export interface HttpReply {
  readonly status: number;
  /** Flat: name, value, name, value … Built anew for each reply: the writer adds to it. */
  readonly headers: string[];
  /** Empty where the status has no body. */
  readonly body: string | Uint8Array;
}

export function jsonReply(status: number, value: unknown, headers: readonly string[] = []): HttpReply {
  return {
    status,
    headers: ['Content-Type', 'application/json', 'X-Content-Type-Options', 'nosniff', ...headers],
    body: JSON.stringify(value),
  };
}

export const emptyReply = (status: 204 | 304, headers: readonly string[] = []): HttpReply => ({
  status,
  headers: [...headers],
  body: '',
});
