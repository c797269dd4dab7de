import { Problem } from '../answer/problem.ts';
import type { Exchange } from './exchange.ts';

/** Whether the request declares a body that is too large: it can be refused before anything else is done. */
export const declaresTooLarge = ({ incoming }: Exchange, bytesMax: number): boolean =>
  Number(incoming.headers['content-length'] ?? 0) > bytesMax;

export const bodyTooLarge = (bytesMax: number): Problem =>
  new Problem('body-too-large', `A body may have at most ${bytesMax} bytes here.`);

/**
 * Reads a body, which the caller has checked with `declaresTooLarge`. `done` runs at most once: with all of
 * the bytes, or with undefined as soon as there are more than `bytesMax`; never when the client leaves first.
 * How long it may take is bounded by the server's time limits.
 *
 * A body of declared length, which is nearly always one chunk, is handed on with its last byte: waiting for
 * the stream to end as well was measured at 1 µs.
 */
export function readBody(
  exchange: Exchange,
  bytesMax: number,
  done: (bytes: Buffer | undefined) => void,
): void {
  exchange.inviteBody();
  const { incoming } = exchange;
  const declared = incoming.headers['content-length'];
  const expectedBytes = declared === undefined ? Number.POSITIVE_INFINITY : Number(declared);
  let first: Buffer = empty;
  let more: Buffer[] | undefined;
  let bytes = 0;
  const finish = () => done(more === undefined ? first : Buffer.concat(more, bytes));
  if (expectedBytes === 0) return finish();
  incoming.on('data', (chunk: Buffer) => {
    if (bytes > bytesMax) return;
    bytes += chunk.length;
    if (bytes > bytesMax) {
      first = empty;
      more = undefined;
      return done(undefined);
    }
    if (first === empty) first = chunk;
    else if (more === undefined) more = [first, chunk];
    else more.push(chunk);
    if (bytes === expectedBytes) finish();
  });
  if (declared !== undefined) return;
  incoming.on('end', () => {
    if (bytes <= bytesMax) finish();
  });
}

const empty = Buffer.alloc(0);
