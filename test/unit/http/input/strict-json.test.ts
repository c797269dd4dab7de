import { describe, expect, test } from 'vitest';
import { Problem } from '../../../../src/http/answer/problem.ts';
import { parseStrictJson } from '../../../../src/http/input/strict-json.ts';

const parse = (body: string | Buffer) => parseStrictJson(typeof body === 'string' ? Buffer.from(body) : body);
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('JSON that is taken', () => {
  test.each([
    ['null', null],
    ['0', 0],
    ['-0.5e-3', -0.0005],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['-9007199254740991', Number.MIN_SAFE_INTEGER],
    ['"a:b"', 'a:b'],
    ['{"a:b":"c:d","e":[{"f":{}}]}', { 'a:b': 'c:d', e: [{ f: {} }] }],
    ['{"quote\\"":1,"back\\\\":2}', { 'quote"': 1, 'back\\': 2 }],
    ['{"Ä":"\\ud83c\\udfad"}', { Ä: '🎭' }],
    ['[{"a":1},{"a":2}]', [{ a: 1 }, { a: 2 }]],
    ['{"constructors":1,"proto":2}', { constructors: 1, proto: 2 }],
    [' \r\n\t{} ', {}],
    [nested(32), JSON.parse(nested(32))],
  ])('%s', (text, value) => {
    expect(parse(text)).toEqual(value);
  });
});

describe('JSON that is refused', () => {
  test.each<[name: string, body: string | Buffer, detail: string]>([
    ['nothing', '', 'The body is empty.'],
    ['no JSON', 'scheduleId=1', 'The body is not JSON.'],
    ['NaN', '{"a":NaN}', 'The body is not JSON.'],
    ['Infinity', '[-Infinity]', 'The body is not JSON.'],
    ['a trailing comma', '{"a":1,}', 'The body is not JSON.'],
    ['a comment', '{"a":1/**/}', 'The body is not JSON.'],
    ['single quotes', "{'a':1}", 'The body is not JSON.'],
    ['two values', '{}{}', 'The body is not JSON.'],
    ['a byte order mark', '\ufeff{}', 'The body is not JSON.'],
    ['a raw control character', '{"a":"\u0001"}', 'The body is not JSON.'],
    ['UTF-16', Buffer.from('{}', 'utf16le'), 'The body is not JSON.'],
    ['a lone continuation byte', Buffer.from([0x22, 0x80, 0x22]), 'The body is not UTF-8.'],
    ['an overlong slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'The body is not UTF-8.'],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'The body is not UTF-8.'],
    ['a cut-off character', Buffer.from([0x22, 0xc3]), 'The body is not UTF-8.'],
    ['half of a surrogate pair', '{"a":"\\ud83c"}', 'A string has half of a surrogate pair.'],
    ['half of a pair as a key', '{"\\udfad":1}', 'A key has half of a surrogate pair.'],
    ['1e400', '{"a":1e400}', 'A number is too large.'],
    ['-1e400', '[-1e400]', 'A number is too large.'],
    ['2^53', '9007199254740992', 'An integer is beyond ±9007199254740991.'],
    ['2^53 + 1, which would be rounded', '[9007199254740993]', 'An integer is beyond ±9007199254740991.'],
    ['a huge integer', '{"a":{"b":1e300}}', 'An integer is beyond ±9007199254740991.'],
    ['equal keys', '{"a":1,"a":2}', 'A key is given twice in one object.'],
    ['equal keys, one escaped', '{"a":1,"\\u0061":2}', 'A key is given twice in one object.'],
    ['equal keys deep inside', '[{"x":{"b":1,"c":2,"b":3}}]', 'A key is given twice in one object.'],
    ['equal keys that look like numbers', '{"1":1,"1":2}', 'A key is given twice in one object.'],
    ['__proto__', '{"__proto__":{"isAdmin":true}}', 'The key "__proto__" is not allowed.'],
    ['__proto__, escaped', '{"\\u005f_proto__":1}', 'The key "__proto__" is not allowed.'],
    ['constructor', '[{"constructor":1}]', 'The key "constructor" is not allowed.'],
    ['prototype', '{"a":{"prototype":1}}', 'The key "prototype" is not allowed.'],
    ['deep nesting', nested(33), 'Nesting is deeper than 32.'],
    ['very deep nesting', nested(100_000), 'Nesting is deeper than 32.'],
  ])('%s', (_name, body, detail) => {
    const refused = parse(body);
    expect(refused).toBeInstanceOf(Problem);
    expect(refused).toMatchObject({ code: 'malformed-json', detail });
  });

  test('and nothing of it has touched Object.prototype', () => {
    parse('{"__proto__":{"isAdmin":true}}');
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });
});
