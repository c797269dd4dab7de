import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../answer/problem.ts';

const JSON_MEDIA_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

/** Undefined when the body is declared as JSON in UTF-8. */
export function checkJsonMediaType(headers: IncomingHttpHeaders): Problem | undefined {
  const header = headers['content-type'];
  const isPlain = headers['content-encoding'] === undefined;
  if (isPlain && header === 'application/json') return undefined;
  if (!isPlain) return new Problem('unsupported-media-type', 'Send the body without Content-Encoding.');
  if (header !== undefined && JSON_MEDIA_TYPE.test(header)) return undefined;
  return new Problem('unsupported-media-type', 'Send the body with Content-Type: application/json.', {}, [
    'Accept',
    'application/json',
  ]);
}
