import { type DestinationStream, destination, type Level, type Logger, pino, stdTimeFunctions } from 'pino';

export type Log = Logger;
export type LogLevel = Level | 'silent';

/** Fields that could carry a secret if somebody logged a request whole. */
const secretPaths = [
  'authorization',
  'token',
  'headers.authorization',
  'headers["idempotency-key"]',
  'req.headers.authorization',
  'req.headers["idempotency-key"]',
];

/**
 * JSON lines, written synchronously: a crash must not take its own reason with it, and nothing on the hot
 * path logs.
 *
 * @param stream standard error by default: standard output belongs to what a command prints.
 */
export function createLog(level: LogLevel, stream: DestinationStream = destination({ fd: 2 })): Log {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: '[redacted]' },
    },
    stream,
  );
}
