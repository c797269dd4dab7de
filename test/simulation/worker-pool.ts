import { Worker } from 'node:worker_threads';
import { Counters } from './counters.ts';
import type { WorkOrder, WorkReport } from './work.ts';

const ownWorker = new URL('./simulation-worker.ts', import.meta.url);

/** @param worker the worker's file, in this tree or in a copy of it. */
export function runInWorker(order: WorkOrder, worker: URL = ownWorker): Promise<WorkReport> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(worker, { workerData: order, execArgv: [] });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`the simulation's worker ended early with ${code}`)));
  });
}

/** Shares the seeds out among so many threads and adds up what they report. */
export async function runInWorkers(
  order: Omit<WorkOrder, 'stride'>,
  threadCount: number,
): Promise<WorkReport> {
  const shares = Array.from({ length: threadCount }, (_, index) =>
    runInWorker({ ...order, firstSeed: order.firstSeed + index, stride: threadCount }),
  );
  const reports = await Promise.all(shares);
  const counters = new Counters();
  for (const { counts } of reports) counters.merge(counts);
  return {
    seedsRun: reports.reduce((sum, { seedsRun }) => sum + seedsRun, 0),
    counts: counters.toRecord(),
    failures: reports.flatMap(({ failures }) => failures).sort((a, b) => a.seed - b.seed),
  };
}
