import { describe, expect, it } from 'vitest';
import { type SqlValue, sqlList, sqlRows, sqlValue } from '../../../src/mysql/sql-values.ts';

describe('sqlValue', () => {
  it.each<[SqlValue, string]>([
    [0, '0'],
    [-1, '-1'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [null, 'NULL'],
    ['', "''"],
    ['a', "'a'"],
    ["it's", "'it\\'s'"],
    ['a"b', `'a\\"b'`],
    ['back\\slash', "'back\\\\slash'"],
    ['line\nend', "'line\\nend'"],
    ['\0', "'\\0'"],
    ['\x1a', "'\\Z'"],
    ["'); DROP TABLE seat; --", "'\\'); DROP TABLE seat; --'"],
    ['ü 🎫', "'ü 🎫'"],
  ])('%j is %s', (value, sql) => {
    expect(sqlValue(value)).toBe(sql);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('%d is no number of SQL’s', (value) => {
    expect(() => sqlValue(value)).toThrow(/is no number/);
  });
});

it('lists are in parentheses, and rows of them are apart', () => {
  expect(sqlList([1, "a'b", null])).toBe("(1,'a\\'b',NULL)");
  expect(sqlRows([[1], [2]])).toBe('(1),(2)');
  expect(sqlRows([])).toBe('');
});
