import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adminToken, type UsherProcess } from './usher-process.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** What an operator types, `usher cluster …` at this node, while the test goes on. @returns what it printed. */
export function runCluster(usher: UsherProcess, ...args: readonly string[]): Promise<string> {
  const options = {
    timeout: 60_000,
    env: { PATH: process.env['PATH'], ADMIN_URL: usher.adminUrl, ADMIN_TOKEN: adminToken },
  };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [main, 'cluster', ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`usher cluster ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`));
    });
  });
}
