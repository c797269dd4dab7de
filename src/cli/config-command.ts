import { parseArgs } from 'node:util';
import { describeSettings, readConfig } from '../config.ts';
import type { CliCommand } from './command.ts';
import { formatTable } from './table.ts';

export const config: CliCommand = {
  name: 'config',
  summary: 'Shows every setting with its value, default and meaning; secrets masked.',
  synopsis: '[--json]',
  details: ['', 'Settings come from the environment. A wrong value fails here as it fails at the start.'],
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
    const settings = describeSettings();
    if (values.json) console.log(JSON.stringify({ settings }));
    else {
      const rows = settings.map((setting) => [
        setting.name,
        setting.value ?? '(unset)',
        setting.default ?? '(unset)',
        `${setting.meaning} Takes ${setting.takes}.`,
      ]);
      console.log(formatTable(['setting', 'value', 'default', 'meaning'], rows));
    }
    readConfig();
    return 0;
  },
};
