import { type ScheduleId, scheduleId } from '../actors/allocator/ids.ts';
import { UsageError } from './command.ts';

/** The first argument as a schedule id. @param countMax how many arguments the command takes. */
export function scheduleArgument(positionals: readonly string[], countMax: number): ScheduleId {
  const [first, ...rest] = positionals;
  if (first === undefined) throw new UsageError('which SCHEDULE? `usher schedules` lists them');
  if (rest.length >= countMax) throw new UsageError(`too many arguments: ${rest.join(' ')}`);
  const id = scheduleId(Number(first));
  if (id === undefined)
    throw new UsageError(`SCHEDULE takes an integer from 1, got ${JSON.stringify(first)}`);
  return id;
}
