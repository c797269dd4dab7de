import { hostname, userInfo } from 'node:os';
import { UsageError } from './command.ts';

const nameMax = 100;

/** Who acts, for the audit log: as told, else the user and host that this runs as. */
export function operatorName(told: string | undefined): string {
  if (told === undefined)
    return `${userName()}@${hostname()}`.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, nameMax);
  if (/^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$/.test(told)) return told;
  throw new UsageError(`--who takes 1 to ${nameMax} printable ASCII characters, got ${JSON.stringify(told)}`);
}

/** A container may run as a user that nobody has given a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
