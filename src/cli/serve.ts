import { parseArgs } from 'node:util';
import { readConfig, requireServeSettings } from '../config.ts';
import type { CliCommand } from './command.ts';
import { runNode } from './run-node.ts';

export const serve: CliCommand = {
  name: 'serve',
  summary: 'Runs a node. Settings come from the environment; `usher config` shows them.',
  synopsis: '',
  details: ['', 'Needs JWT_SECRET (at least 32 bytes) or JWKS_URL, and ADMIN_TOKEN.'],
  async run(args) {
    parseArgs({ args: [...args], options: {} });
    const config = readConfig();
    requireServeSettings(config);
    return runNode({
      config,
      secrets: {
        jwtSecret: config.jwtSecret === undefined ? undefined : Buffer.from(config.jwtSecret),
        adminToken: config.adminToken ?? '',
        isOpenToLoopback: false,
      },
    });
  },
};
