import { parseArgs } from 'node:util';
import { AdminClient, adminOptions } from './admin-client.ts';
import { actionsAnswer } from './cluster-answers.ts';
import { UsageError } from './command.ts';
import { formatTable } from './table.ts';

const options = { ...adminOptions, limit: { type: 'string', default: '20' } } as const;

/** `cluster actions` */
export async function clusterActions(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options });
  if (!/^[0-9]{1,4}$/.test(values.limit) || Number(values.limit) < 1 || Number(values.limit) > 1_000) {
    throw new UsageError(`--limit takes an integer from 1 to 1000, got ${JSON.stringify(values.limit)}`);
  }
  const answer = await new AdminClient(values).get(
    `/admin/cluster/actions?limit=${values.limit}`,
    actionsAnswer,
  );
  if (values.json) console.log(JSON.stringify(answer));
  else {
    const rows = answer.actions.map(({ at, who, what, why }) => [at, who, what, why]);
    console.log(formatTable(['at', 'who', 'what', 'why'], rows));
  }
  return 0;
}
