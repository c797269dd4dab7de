import { expect, test } from 'vitest';
import { parsePeerAddress } from '../../../src/cluster/peer-address.ts';

test.each([
  ['10.0.0.1:8082', { host: '10.0.0.1', port: 8082 }],
  ['usher-0.usher.default.svc:1', { host: 'usher-0.usher.default.svc', port: 1 }],
  ['[fd00::1]:65535', { host: 'fd00::1', port: 65_535 }],
  ['', undefined],
  ['host', undefined],
  ['host:', undefined],
  [':8082', undefined],
  ['host:0', undefined],
  ['host:65536', undefined],
  ['host:80a', undefined],
  ['fd00::1:8082', undefined],
  ['a b:8082', undefined],
])('%j', (text, address) => {
  expect(parsePeerAddress(text)).toEqual(address);
});
