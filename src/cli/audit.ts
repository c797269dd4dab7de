import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { AdminClient, adminOptions, adminOptionsHelp } from './admin-client.ts';
import type { CliCommand } from './command.ts';
import { scheduleArgument } from './schedule-argument.ts';

const auditSchema = v.object({
  ok: v.boolean(),
  checks: v.array(v.object({ invariant: v.string(), ok: v.boolean(), detail: v.string() })),
});

export const audit: CliCommand = {
  name: 'audit',
  summary: "Compares a schedule's memory with its store; fails if anything differs.",
  synopsis: 'SCHEDULE [options]',
  details: adminOptionsHelp,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: adminOptions,
      allowPositionals: true,
    });
    const schedule = scheduleArgument(positionals, 1);
    const answer = await new AdminClient(values).get(`/admin/schedules/${schedule}/audit`, auditSchema);
    if (values.json) console.log(JSON.stringify(answer));
    else {
      for (const check of answer.checks) {
        console.log(`${check.ok ? 'ok    ' : 'BROKEN'} ${check.invariant.padEnd(4)} ${check.detail}`);
      }
    }
    return answer.ok ? 0 : 1;
  },
};
