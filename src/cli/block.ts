import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { AdminClient, adminOptions, adminOptionsHelp } from './admin-client.ts';
import { type CliCommand, UsageError } from './command.ts';
import { scheduleArgument } from './schedule-argument.ts';

const answerSchema = v.looseObject({ seatIds: v.array(v.string()) });

const blockCommand = (name: 'block' | 'unblock', summary: string): CliCommand => ({
  name,
  summary,
  synopsis: 'SCHEDULE SEAT… [options]',
  details: adminOptionsHelp,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: adminOptions,
      allowPositionals: true,
    });
    const schedule = scheduleArgument(positionals, Number.POSITIVE_INFINITY);
    const seatIds = positionals.slice(1);
    if (seatIds.length === 0) throw new UsageError('which SEATs?');
    const answer = await new AdminClient(values).post(
      `/admin/schedules/${schedule}/${name}`,
      { seatIds },
      answerSchema,
    );
    if (values.json) console.log(JSON.stringify(answer));
    else
      console.log(
        `${answer.seatIds.length} of ${seatIds.length} seats ${name}ed; any others were so already`,
      );
    return 0;
  },
});

export const block = blockCommand('block', 'Takes free seats off sale.');
export const unblock = blockCommand('unblock', 'Puts blocked seats back on sale.');
