import { invalidRequest, type Problem } from '../answer/problem.ts';

export const operatorNamePattern = /^[\x20-\x7e]{1,100}$/;

/** Who acts, where nobody says so: all operators have the one token. */
export const anonymousOperator = 'operator';

/** Who acts, for the audit log. It is what the caller says, and gives no rights. */
export function readOperatorName(header: string | string[] | undefined): string | Problem {
  if (header === undefined) return anonymousOperator;
  if (typeof header === 'string' && operatorNamePattern.test(header)) return header;
  return invalidRequest([
    { path: 'Usher-Operator', message: 'must have 1 to 100 printable ASCII characters' },
  ]);
}
