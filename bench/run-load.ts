import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadPlan, LoadResult } from './load-plan.ts';

/** Runs the load generator in its own process; fails unless every answer had the expected status. */
export function load(plan: LoadPlan, expectedStatus: string): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./load-client.ts', import.meta.url))], {
      env: { PATH: process.env['PATH'], LOAD_PLAN: JSON.stringify(plan) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.once('exit', (code) => {
      if (code !== 0) return reject(new Error(`the load generator ended with ${code}`));
      const result: LoadResult = JSON.parse(text);
      const others = Object.keys(result.statuses).filter((status) => status !== expectedStatus);
      if (others.length > 0)
        return reject(new Error(`unexpected answers: ${JSON.stringify(result.statuses)}`));
      resolve(result);
    });
  });
}
