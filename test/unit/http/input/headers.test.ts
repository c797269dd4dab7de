import { describe, expect, test } from 'vitest';
import { acceptsGzip, preferredType } from '../../../../src/http/input/accept-header.ts';
import { matchesTag } from '../../../../src/http/input/entity-tag.ts';
import { checkJsonMediaType } from '../../../../src/http/input/media-type.ts';

const offers = ['application/json', 'application/octet-stream'] as const;

describe('Accept', () => {
  test.each<[header: string | undefined, chosen: string | undefined]>([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/json', 'application/json'],
    ['application/octet-stream', 'application/octet-stream'],
    ['APPLICATION/OCTET-STREAM', 'application/octet-stream'],
    ['application/*', 'application/json'],
    ['text/html, */*;q=0.1', 'application/json'],
    ['application/json;q=0.2, application/octet-stream;q=0.9', 'application/octet-stream'],
    ['application/json;q=0, */*', 'application/octet-stream'],
    ['application/octet-stream; q=1.000', 'application/octet-stream'],
    ['application/json;q=banana, application/octet-stream;q=0.1', 'application/octet-stream'],
    ['text/html', undefined],
    ['application/json;q=0', undefined],
    ['', undefined],
  ])('%s → %s', (header, chosen) => {
    expect(preferredType(header, offers)).toBe(chosen);
  });
});

describe('Accept-Encoding', () => {
  test.each<[header: string | undefined, isAsked: boolean]>([
    [undefined, false],
    ['', false],
    ['gzip', true],
    ['gzip, deflate, br', true],
    ['gzip, deflate, br, zstd', true],
    ['br;q=1.0, GZIP;q=0.5', true],
    ['*', true],
    ['gzip;q=0', false],
    ['*;q=0.5, gzip;q=0', false],
    ['br', false],
    ['identity', false],
  ])('%s: %s', (header, isAsked) => {
    expect(acceptsGzip(header)).toBe(isAsked);
  });
});

describe('If-None-Match "5"', () => {
  test.each<[header: string | undefined, isMatched: boolean]>([
    [undefined, false],
    ['"5"', true],
    ['W/"5"', true],
    ['*', true],
    ['"4", W/"5" , "6"', true],
    ['"4","6"', false],
    ['5', false],
    ['"55"', false],
  ])('%s: %s', (header, isMatched) => {
    expect(matchesTag(header, '"5"')).toBe(isMatched);
  });
});

describe('Content-Type', () => {
  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json ',
  ])('%s is taken', (header) => {
    expect(checkJsonMediaType({ 'content-type': header })).toBeUndefined();
  });

  test.each([
    undefined,
    '',
    'text/plain',
    'application/jsonp',
    'application/problem+json',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; x=1',
    'application/x-www-form-urlencoded',
    'application/json, text/plain',
  ])('%s is refused', (header) => {
    const headers = header === undefined ? {} : { 'content-type': header };
    expect(checkJsonMediaType(headers)).toMatchObject({ code: 'unsupported-media-type' });
  });

  test('a compressed body is refused', () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect(checkJsonMediaType(headers)).toMatchObject({ code: 'unsupported-media-type' });
  });
});
