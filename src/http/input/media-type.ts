import { Problem } from '../answer/problem.ts';

const JSON_MEDIA_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

/** Undefined when the body is declared as JSON in UTF-8. */
export function checkJsonMediaType(header: string | undefined): Problem | undefined {
  if (header === 'application/json') return undefined;
  if (header !== undefined && JSON_MEDIA_TYPE.test(header)) return undefined;
  return new Problem('unsupported-media-type', 'Send the body with Content-Type: application/json.', {}, [
    'Accept',
    'application/json',
  ]);
}
