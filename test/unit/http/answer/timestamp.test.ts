import { describe, expect, test } from 'vitest';
import { formatTimestamp, parseTimestamp } from '../../../../src/http/answer/timestamp.ts';

describe('writing a time', () => {
  test('says what Date says, in whatever order the times come', () => {
    const start = Date.UTC(2026, 11, 1, 11);
    for (let i = 0; i < 5000; i++) {
      const atMs = start + ((i * 7_919) % 1_000_003);
      expect(formatTimestamp(atMs)).toBe(new Date(atMs).toISOString());
    }
  });

  test.each([0, 1, 999, 1000, 64_000, 4_102_444_799_999])('%i', (atMs) => {
    expect(formatTimestamp(atMs)).toBe(new Date(atMs).toISOString());
  });
});

describe('reading a time', () => {
  test.each([
    ['2026-12-01T11:00:00Z', Date.UTC(2026, 11, 1, 11)],
    ['2026-12-01T11:00:00.5Z', Date.UTC(2026, 11, 1, 11, 0, 0, 500)],
    ['2026-12-01T11:00:00.123456789Z', Date.UTC(2026, 11, 1, 11, 0, 0, 123)],
    ['2026-12-01T12:30:00+01:30', Date.UTC(2026, 11, 1, 11)],
    ['2026-12-01T03:00:00-08:00', Date.UTC(2026, 11, 1, 11)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  ])('%s', (text, atMs) => {
    expect(parseTimestamp(text)).toBe(atMs);
  });

  test.each([
    '',
    '2026-12-01',
    '2026-12-01T11:00:00',
    '2026-12-01 11:00:00Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-12-01T24:00:00Z',
    '2026-12-01T11:60:00Z',
    '2026-12-01T11:00:60Z',
    '2026-12-01T11:00:00+24:00',
    '2026-12-01T11:00:00Z ',
    '1969-12-31T23:59:59Z',
    '+002026-12-01T11:00:00Z',
    '0050-01-01T00:00:00Z',
    'tomorrow',
  ])('%s is none', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });
});
