import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorResponse } from '../answer/error-response.ts';
import { invalidRequest, Problem } from '../answer/problem.ts';
import { requestIdOf } from './request-id.ts';

const notHttp = invalidRequest([{ path: '', message: 'must be HTTP/1.1' }]);
const tooSlow = new Problem('request-timeout', 'The request did not arrive in time.');
const headersTooLarge = new Problem('headers-too-large', 'The headers may have at most 16 KiB.');

/** How long what still comes is thrown away, so that closing does not take the answer with it. */
const lingerMs = 500;

/**
 * Answers what node:http could not make a request of, and closes. There is no response object, so the bytes
 * are written here. Where an answer to an earlier request is owed or has begun, this one would be taken for
 * it: then the connection is only closed.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  // The parser complains again about what comes after; the answer is on its way already.
  if (socket.writableEnded) return;
  const { _httpMessage: open } = socket as Duplex & { readonly _httpMessage?: ServerResponse | null };
  const isOwedAnother = open !== undefined && open !== null && (open.headersSent || open.req.complete);
  if (error.code === 'ECONNRESET' || !socket.writable || isOwedAnother) {
    socket.destroy();
    return;
  }
  const requestId = requestIdOf(undefined);
  const { status, headers, body } = errorResponse(problemOf(error), requestId);
  headers.push('X-Request-Id', requestId, 'Content-Length', String(Buffer.byteLength(body)));
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'Connection: close'];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

function problemOf({ code }: NodeJS.ErrnoException): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return tooSlow;
  return code === 'HPE_HEADER_OVERFLOW' ? headersTooLarge : notHttp;
}
