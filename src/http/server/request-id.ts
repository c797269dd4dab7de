import { randomBytes } from 'node:crypto';

/** What may be sent back in a header and written into a log without a second look. */
const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

const processPrefix = randomBytes(6).toString('base64url').replaceAll(/[-_]/g, '0');
let counter = 0;

/** The caller's own id when it is a sane one, else one that no other process gives out. */
export function requestIdOf(header: string | readonly string[] | undefined): string {
  if (typeof header === 'string' && SANE.test(header)) return header;
  counter += 1;
  return `${processPrefix}-${counter.toString(36)}`;
}
