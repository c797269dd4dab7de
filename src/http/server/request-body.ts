import { Problem } from '../answer/problem.ts';
import type { Exchange } from './exchange.ts';

/** Whether the request declares a body that is too large: it can be refused before anything else is done. */
export function declaresTooLarge({ incoming }: Exchange, bytesMax: number): boolean {
  const declared = incoming.headers['content-length'];
  return declared !== undefined && Number(declared) > bytesMax;
}

export const bodyTooLarge = (bytesMax: number): Problem =>
  new Problem('body-too-large', `A body may have at most ${bytesMax} bytes here.`);

/**
 * Reads a body, which the caller has checked with `declaresTooLarge`. `done` runs at most once: with all of
 * the bytes, or with undefined as soon as there are more than `bytesMax`; never when the client leaves first.
 * How long it may take is bounded by the server's time limits.
 */
export function readBody(
  exchange: Exchange,
  bytesMax: number,
  done: (bytes: Buffer | undefined) => void,
): void {
  exchange.inviteBody();
  let first: Buffer = empty;
  let more: Buffer[] | undefined;
  let bytes = 0;
  const { incoming } = exchange;
  incoming.on('data', (chunk: Buffer) => {
    if (bytes > bytesMax) return;
    bytes += chunk.length;
    if (bytes > bytesMax) {
      first = empty;
      more = undefined;
      done(undefined);
    } else if (first === empty) first = chunk;
    else if (more === undefined) more = [first, chunk];
    else more.push(chunk);
  });
  incoming.on('end', () => {
    if (bytes <= bytesMax) done(more === undefined ? first : Buffer.concat(more, bytes));
  });
}

const empty = Buffer.alloc(0);
