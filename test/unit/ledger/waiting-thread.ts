import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, threadId } from 'node:worker_threads';

/** Procedures of a thread that waits: for a time, or for nothing at all and with all that it has. */

export async function waitFor(durationMs: number): Promise<number> {
  await sleep(durationMs);
  return threadId;
}

export async function fail(message: string): Promise<never> {
  await sleep(1);
  throw new Error(message);
}

export async function tell(message: string): Promise<void> {
  parentPort?.postMessage(message);
}

export async function spin(): Promise<never> {
  for (;;);
}

export function wake(): void {}
