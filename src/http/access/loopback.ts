import type { IncomingMessage } from 'node:http';

const LOOPBACK = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;

/** Whether the caller itself is on this machine: a proxy on this machine speaks for others. */
export function isFromLoopback(incoming: IncomingMessage): boolean {
  const { headers, socket } = incoming;
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) return false;
  return LOOPBACK.test(socket.remoteAddress ?? '');
}
