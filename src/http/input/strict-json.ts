import { isUtf8 } from 'node:buffer';
import { Problem } from '../answer/problem.ts';

/**
 * JSON without its traps. JSON.parse takes invalid UTF-8, rounds integers beyond 2^53, turns 1e400 into
 * Infinity, keeps the last of two equal keys and makes an own property of `__proto__`: none of these passes.
 *
 * One walk over what was parsed finds all but equal keys. Those are found by counting: every member of an
 * object has one colon outside of strings, so a text with more colons than members has lost some.
 */
const depthMax = 32;

export function parseStrictJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) return refuse('The body is not UTF-8.');
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return refuse(bytes.length === 0 ? 'The body is empty.' : 'The body is not JSON.');
  }
  const members = new MemberCount();
  const fault = members.visit(value, 1);
  if (fault !== undefined) return refuse(fault);
  if (members.count !== countColons(bytes)) return refuse('A key is given twice in one object.');
  return value;
}

const refuse = (detail: string): Problem => new Problem('malformed-json', detail);

class MemberCount {
  count = 0;

  /** What is wrong, for people; undefined when nothing is. */
  visit(value: unknown, depth: number): string | undefined {
    switch (typeof value) {
      case 'string':
        return value.isWellFormed() ? undefined : 'A string has half of a surrogate pair.';
      case 'number':
        return faultOfNumber(value);
      case 'object':
        return value === null ? undefined : this.#visitInside(value, depth);
      default:
        return undefined;
    }
  }

  #visitInside(value: object, depth: number): string | undefined {
    if (depth > depthMax) return `Nesting is deeper than ${depthMax}.`;
    if (Array.isArray(value)) {
      for (const element of value) {
        const fault = this.visit(element, depth + 1);
        if (fault !== undefined) return fault;
      }
      return undefined;
    }
    for (const key in value) {
      if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
        return `The key "${key}" is not allowed.`;
      }
      if (!key.isWellFormed()) return 'A key has half of a surrogate pair.';
      this.count += 1;
      const fault = this.visit((value as Record<string, unknown>)[key], depth + 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}

function faultOfNumber(value: number): string | undefined {
  if (!Number.isFinite(value)) return 'A number is too large.';
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return 'An integer is beyond ±9007199254740991.';
  }
  return undefined;
}

const quote = 0x22;
const colon = 0x3a;
const backslash = 0x5c;

/** Of a text that is known to be JSON. */
function countColons(bytes: Buffer): number {
  let count = 0;
  let isInString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isInString) {
      if (byte === backslash) i += 1;
      else if (byte === quote) isInString = false;
    } else if (byte === quote) isInString = true;
    else if (byte === colon) count += 1;
  }
  return count;
}
