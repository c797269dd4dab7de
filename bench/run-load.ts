import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadPlan, LoadResult } from './load-plan.ts';

/** A load generator at work, in its own process. */
export interface RunningLoad {
  readonly result: Promise<LoadResult>;
  /** Ends the measurement before its time. */
  end(): void;
}

export function startLoad(plan: LoadPlan): RunningLoad {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./load-client.ts', import.meta.url))], {
    env: { PATH: process.env['PATH'], LOAD_PLAN: JSON.stringify(plan) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const result = new Promise<LoadResult>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.once('exit', (code) => {
      if (code === 0) resolve(JSON.parse(text));
      else reject(new Error(`the load generator ended with ${code}`));
    });
  });
  return { result, end: () => child.kill('SIGTERM') };
}

/** Fails unless every answer had the expected status. */
export async function load(plan: LoadPlan, expectedStatus: string): Promise<LoadResult> {
  const result = await startLoad(plan).result;
  const others = Object.keys(result.statuses).filter((status) => status !== expectedStatus);
  if (others.length > 0) throw new Error(`unexpected answers: ${JSON.stringify(result.statuses)}`);
  return result;
}
