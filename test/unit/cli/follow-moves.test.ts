import { describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../../../src/actors/runtime/ports.ts';
import { AdminClient } from '../../../src/cli/admin-client.ts';
import { followMoves, type MoveCounts } from '../../../src/cli/follow-moves.ts';
import { adminToken, openAdminPort } from '../http/open-port.ts';
import { clusterStatus, moveRecord, ScriptedCluster } from '../http/scripted-cluster.ts';
import { tellOfMoves } from './cluster-stage.ts';

const three = [moveRecord(1), moveRecord(2), moveRecord(3)];
const timing = { askEveryMs: 5, callMaxMs: 1_000, silenceMaxMs: 5_000 };

class Follower {
  readonly counts: MoveCounts[] = [];
  readonly silences: string[] = [];

  follow(port: number, changes: { waitMaxMs?: number; timing?: Partial<typeof timing> } = {}) {
    const url = `http://127.0.0.1:${port}`;
    const admin = new AdminClient({ 'admin-url': url, 'admin-token': adminToken }, {});
    return followMoves(
      admin,
      three.map((move) => ({ ...move, phase: 'planned' })),
      {
        timing: { ...timing, ...changes.timing },
        waitMaxMs: changes.waitMaxMs,
        onProgress: (counts) => this.counts.push(counts),
        onSilence: (reason) => this.silences.push(reason),
      },
    );
  }
}

describe('following moves', () => {
  test('counts those that are done, in flight and failed, until the last has ended', async () => {
    await using open = await openAdminPort();
    tellOfMoves(open.cluster, three, [
      ['planned', 'planned', 'planned'],
      ['preloading', 'running', 'planned'],
      ['done', 'sealed', 'planned'],
      ['done', 'failed', 'activating'],
      ['done', 'failed', 'done'],
    ]);
    const follower = new Follower();
    const { ended, open: left } = await follower.follow(open.port);
    expect(follower.counts).toEqual([
      { total: 3, done: 0, inFlight: 0, failed: 0 },
      { total: 3, done: 0, inFlight: 2, failed: 0 },
      { total: 3, done: 1, inFlight: 1, failed: 0 },
      { total: 3, done: 1, inFlight: 1, failed: 1 },
      { total: 3, done: 2, inFlight: 0, failed: 1 },
    ]);
    expect(ended.map(({ moveId, phase, detail }) => [moveId, phase, detail])).toEqual([
      [1, 'done', ''],
      [2, 'failed', 'node-2 is silent'],
      [3, 'done', ''],
    ]);
    expect(left).toEqual([]);
  });

  test('a move that is not listed and has not ended either is asked for again', async () => {
    await using open = await openAdminPort();
    for (const move of three) open.cluster.moves.set(move.moveId, { ...move, phase: 'running' });
    let looks = 0;
    open.cluster.onStatus = () => {
      looks += 1;
      if (looks === 3) {
        for (const move of three) open.cluster.moves.set(move.moveId, { ...move, phase: 'done' });
      }
      return clusterStatus();
    };
    const follower = new Follower();
    expect((await follower.follow(open.port)).ended).toHaveLength(3);
    expect(follower.counts.map(({ inFlight }) => inFlight)).toEqual([3, 3, 0]);
  });

  test('goes on while the node restarts', async () => {
    const cluster = new ScriptedCluster();
    tellOfMoves(cluster, three, [['sealed', 'planned', 'planned']]);
    const first = await openAdminPort({ cluster });
    const follower = new Follower();
    const followed = follower.follow(first.port);
    await expect.poll(() => follower.counts.length).toBeGreaterThan(0);
    await first.server.close(0);
    await expect.poll(() => follower.silences.length).toBeGreaterThan(0);
    tellOfMoves(cluster, three, [['done', 'done', 'done']]);
    await using _second = await openAdminPort({ cluster, port: first.port });
    expect((await followed).ended).toHaveLength(3);
    expect(follower.silences[0]).toContain(`no answer from http://127.0.0.1:${first.port}`);
  });

  test('goes on while the node’s store is away', async () => {
    await using open = await openAdminPort();
    tellOfMoves(open.cluster, three, [['done', 'done', 'done']]);
    open.cluster.failure = new StoreUnavailable('gone');
    const follower = new Follower();
    const followed = follower.follow(open.port);
    await expect.poll(() => follower.silences.length).toBeGreaterThan(1);
    expect(follower.silences[0]).toMatch(/^503 /);
    open.cluster.failure = undefined;
    expect((await followed).ended).toHaveLength(3);
  });

  test('a node that stays silent is given up, and the moves go on', async () => {
    const open = await openAdminPort();
    await open.server.close(0);
    const follower = new Follower();
    await expect(follower.follow(open.port, { timing: { silenceMaxMs: 50 } })).rejects.toThrow(
      /no answer from .*\nThe moves go on: usher cluster status$/,
    );
    expect(follower.silences.length).toBeGreaterThan(1);
  });

  test('a node that answers now and then is not silent, however long it takes', async () => {
    await using open = await openAdminPort();
    tellOfMoves(open.cluster, three, [['sealed', 'sealed', 'sealed']]);
    const { onStatus } = open.cluster;
    let looks = 0;
    open.cluster.onStatus = () => {
      looks += 1;
      if (looks % 2 === 0) throw new StoreUnavailable('gone');
      return onStatus();
    };
    const follower = new Follower();
    const { open: left } = await follower.follow(open.port, {
      waitMaxMs: 1_000,
      timing: { silenceMaxMs: 500 },
    });
    expect(left).toHaveLength(3);
    expect(follower.silences.length).toBeGreaterThan(1);
  });

  test('what is no silence ends it at once', async () => {
    await using open = await openAdminPort();
    const follower = new Follower();
    await expect(follower.follow(open.port)).rejects.toThrow(/^404 There is no such move\.$/);
    expect(follower.silences).toEqual([]);
  });

  test('the waiting has an end, and says what is still open', async () => {
    await using open = await openAdminPort();
    tellOfMoves(open.cluster, three, [['done', 'sealed', 'planned']]);
    const { ended, open: left } = await new Follower().follow(open.port, { waitMaxMs: 60 });
    expect(ended.map(({ moveId }) => moveId)).toEqual([1]);
    expect(left.map(({ moveId, phase }) => [moveId, phase])).toEqual([
      [2, 'sealed'],
      [3, 'planned'],
    ]);
  });

  test('the waiting ends while the node is silent, too', async () => {
    const open = await openAdminPort();
    await open.server.close(0);
    const { ended, open: left } = await new Follower().follow(open.port, { waitMaxMs: 60 });
    expect([ended.length, left.length]).toEqual([0, 3]);
  });
});
