import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { AdminClient, adminOptions, adminOptionsHelp } from './admin-client.ts';
import type { CliCommand } from './command.ts';
import { formatTable } from './table.ts';

const answerSchema = v.object({
  schedules: v.array(
    v.looseObject({
      scheduleId: v.number(),
      performance: v.string(),
      startsAt: v.string(),
      capacity: v.number(),
      available: v.number(),
    }),
  ),
});

export const schedules: CliCommand = {
  name: 'schedules',
  summary: 'Lists the schedules of a node.',
  synopsis: '[options]',
  details: adminOptionsHelp,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: adminOptions });
    const answer = await new AdminClient(values).get('/admin/schedules', answerSchema);
    if (values.json) console.log(JSON.stringify(answer));
    else {
      const rows = answer.schedules.map((schedule) => [
        `${schedule.scheduleId}`,
        schedule.performance,
        schedule.startsAt,
        `${schedule.capacity}`,
        `${schedule.available}`,
      ]);
      console.log(formatTable(['schedule', 'performance', 'starts at', 'seats', 'free'], rows));
    }
    return 0;
  },
};
