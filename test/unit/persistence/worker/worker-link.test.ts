import { afterEach, describe, expect, it } from 'vitest';
import type { ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import { CommitOutcomeUnknown, StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import { toJournalColumns } from '../../../../src/persistence/journal-columns.ts';
import { WorkerLink } from '../../../../src/persistence/worker/worker-link.ts';

const limitMs = 20_000;
const batch = { batchNumber: 1, shards: [], rows: toJournalColumns([]) };

/** A worker that does with each procedure what a test needs; `opened` tells which thread answers. */
const stubWorker = `
  import { spawnSync } from 'node:child_process';
  import { parentPort, threadId } from 'node:worker_threads';
  let open = 0;
  parentPort.on('message', ({ callId, procedure, parameters }) => {
    const result = (value) => parentPort.postMessage({ kind: 'result', callId, value });
    const failure = (outcomeUnknown) => parentPort.postMessage({ kind: 'failure', callId, message: 'no', outcomeUnknown });
    if (procedure === 'close') { result(); parentPort.close(); }
    else if (procedure === 'opened') result(threadId);
    else if (procedure === 'commit') failure(true);
    else if (procedure === 'resolveCommit') process.exit(1);
    else if (procedure === 'listVenues') throw new Error('a bug in the worker');
    else if (procedure === 'listPerformances') failure(false);
    else if (procedure === 'listSchedules') { for (;;); }
    else if (procedure === 'schedulesWithOpenWork') spawnSync(process.execPath, ['-e', 'setTimeout(() => {}, 500)']);
    else if (procedure === 'loadSchedule') {
      open += 1;
      setTimeout(() => { result(open); open -= 1; }, 5);
    } else if (procedure === 'claimShards') {
      parentPort.postMessage({ kind: 'notice', notice: { kind: 'fault', fault: 'a fault', message: 'why' } });
      result([]);
    }
  });
`;

describe('WorkerLink', () => {
  let link: WorkerLink;
  const notices: unknown[] = [];

  const start = (source = stubWorker) => {
    link = new WorkerLink({
      entry: new URL(`data:text/javascript,${encodeURIComponent(source)}`),
      workerData: { directory: 'unused' },
      onNotice: (notice) => notices.push(notice),
    });
    return link;
  };
  afterEach(() => link.close(limitMs));

  it('starts its worker with the first call, and keeps it', async () => {
    start();
    const [first, second] = [await link.call(limitMs, 'opened'), await link.call(limitMs, 'opened')];
    expect(first).toBeGreaterThan(0);
    expect(second).toBe(first);
  });

  it('tells apart a call that failed and a commit whose outcome is unknown', async () => {
    start();
    await expect(link.call(limitMs, 'listPerformances', 0)).rejects.toThrow(new StoreUnavailable('no'));
    await expect(link.call(limitMs, 'commit', batch)).rejects.toThrow(new CommitOutcomeUnknown('no'));
  });

  it('a worker that ends takes every call with it; the next call meets a new one', async () => {
    start();
    const first = await link.call(limitMs, 'opened');
    const lost = await Promise.allSettled([
      link.call(limitMs, 'resolveCommit', 1, []),
      link.call(limitMs, 'commit', batch),
      link.call(limitMs, 'projectAll'),
    ]);
    const names = lost.map((each) => (each.status === 'rejected' ? each.reason.name : 'answered'));
    expect(names).toEqual(['StoreUnavailable', 'CommitOutcomeUnknown', 'StoreUnavailable']);
    expect(await link.call(limitMs, 'opened')).not.toBe(first);
  });

  it('says what the worker died of', async () => {
    start();
    await expect(link.call(limitMs, 'listVenues', 0)).rejects.toThrow('a bug in the worker');
  });

  it('says why the worker cannot start, each time', async () => {
    start("throw new Error('the file is too new')");
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(link.call(limitMs, 'opened')).rejects.toThrow(new StoreUnavailable('the file is too new'));
    }
  });

  it('terminates a worker that lets a time limit pass', async () => {
    start();
    const first = await link.call(limitMs, 'opened');
    const busy = link.call(50, 'listSchedules', 0);
    const commit = link.call(limitMs, 'commit', batch);
    const settled = Promise.allSettled([busy, commit]);
    await expect(busy).rejects.toThrow(/within 50 ms/);
    await expect(commit).rejects.toThrow(CommitOutcomeUnknown);
    await settled;
    expect(await link.call(limitMs, 'opened')).not.toBe(first);
  });

  it('starts no other worker before the lost one has left its last native call', async () => {
    start();
    await link.call(limitMs, 'opened');
    const startedMs = performance.now();
    await expect(link.call(20, 'schedulesWithOpenWork')).rejects.toThrow(/within 20 ms/);
    await link.call(limitMs, 'opened');
    expect(performance.now() - startedMs).toBeGreaterThan(500);
  });

  it('sends one load of a schedule at a time, also to the next worker', async () => {
    start();
    const load = () => link.call(limitMs, 'loadSchedule', 1 as ScheduleId, 0, 0);
    expect(await Promise.all([load(), load(), load()])).toEqual([1, 1, 1]);
    const loads = [load(), load(), load()];
    const settled = Promise.allSettled(loads);
    await expect(link.call(limitMs, 'listVenues', 0)).rejects.toThrow(StoreUnavailable);
    const [sent, ...waiting] = await settled;
    expect(sent!.status).toBe('rejected');
    expect(waiting).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'fulfilled', value: 1 },
    ]);
  });

  it('a load that was not sent in time took no effect, and costs no worker', async () => {
    start();
    const first = await link.call(limitMs, 'opened');
    const long = link.call(limitMs, 'loadSchedule', 1 as ScheduleId, 0, 0);
    await expect(link.call(1, 'loadSchedule', 1 as ScheduleId, 0, 0)).rejects.toThrow(StoreUnavailable);
    expect(await long).toBe(1);
    expect(await link.call(limitMs, 'opened')).toBe(first);
  });

  it('hands on what the worker tells', async () => {
    start();
    await link.call(limitMs, 'claimShards', 'a', [1 as ShardId]);
    expect(notices).toEqual([{ kind: 'fault', fault: 'a fault', message: 'why' }]);
  });

  it('closes after the calls under way, refuses later ones, and closes once', async () => {
    start();
    const under = link.call(limitMs, 'loadSchedule', 1 as ScheduleId, 0, 0);
    const closing = link.close(limitMs);
    await expect(link.call(limitMs, 'opened')).rejects.toThrow(new StoreUnavailable('the store is closed'));
    expect(await under).toBe(1);
    await closing;
    await link.close(limitMs);
  });

  it('closes without a worker', async () => {
    await start().close(limitMs);
  });
});
