import { describe, expect, test } from 'vitest';
import { createLog, type LogLevel } from '../../../src/telemetry/log.ts';

function logTo(level: LogLevel) {
  const lines: string[] = [];
  const log = createLog(level, { write: (line: string) => lines.push(line) });
  return { log, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the log', () => {
  test('is a JSON object a line, with the level in words and the time in ISO', () => {
    const { log, entries } = logTo('info');
    log.warn({ requestId: 'r-1', err: new Error('broken') }, 'a request failed');
    expect(entries()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        pid: process.pid,
        requestId: 'r-1',
        err: expect.objectContaining({ type: 'Error', message: 'broken', stack: expect.any(String) }),
        msg: 'a request failed',
      },
    ]);
  });

  test('keeps quiet below its level', () => {
    const { log, entries } = logTo('warn');
    log.info('hello');
    log.error('help');
    expect(entries().map(({ msg }) => msg)).toEqual(['help']);
  });

  test('says nothing when silent', () => {
    const { log, entries } = logTo('silent');
    log.fatal('help');
    expect(entries()).toEqual([]);
  });

  test('does not show tokens or keys, even when a request is logged whole', () => {
    const { log, entries } = logTo('info');
    const headers = { authorization: 'Bearer abc', 'idempotency-key': 'k-1', host: 'usher' };
    log.info({ req: { headers }, headers, token: 'abc', authorization: 'Bearer abc' }, 'whole');
    const written = JSON.stringify(entries());
    expect(written).not.toMatch(/abc|k-1/);
    expect(written).toContain('usher');
  });
});
