import type { IncomingMessage } from 'node:http';

const LOOPBACK = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;

const LOOPBACK_HOST = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\])(?::\d{1,5})?$/i;

/**
 * Whether the caller itself is on this machine: a proxy on this machine speaks for others, and so does a
 * browser that was led here by another host's name.
 */
export function isFromLoopback(incoming: IncomingMessage): boolean {
  const { headers, socket } = incoming;
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) return false;
  return LOOPBACK_HOST.test(headers.host ?? '') && LOOPBACK.test(socket.remoteAddress ?? '');
}
