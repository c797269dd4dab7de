import { expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/command.ts';
import { operatorName } from '../../../src/cli/operator-name.ts';
import { operatorNamePattern } from '../../../src/http/input/operator-name.ts';

test.each(['a', 'Ada Lovelace', 'x'.repeat(100)])('as told: %s', (name) => {
  expect(operatorName(name)).toBe(name);
  expect(operatorNamePattern.test(name)).toBe(true);
});

test.each(['', ' ', ' ada', 'ada ', 'x'.repeat(101), 'Zoë', 'a\nb'])('not as told: %j', (name) => {
  expect(() => operatorName(name)).toThrow(UsageError);
});

test('else the user and the host, as the port takes them', () => {
  expect(operatorName(undefined)).toMatch(/^[^@]+@./);
  expect(operatorNamePattern.test(operatorName(undefined))).toBe(true);
});
