import { describe, expect, it } from 'vitest';
import type { ShardId } from '../../src/actors/allocator/ids.ts';
import { clusterRecordsContract } from './cluster-records-contract.ts';
import { MySqlStage, outcomeOf } from './mysql-store-stage.ts';

clusterRecordsContract('cluster records in MySQL', () => {
  let stage: MySqlStage;
  return {
    open: async () => {
      stage = await MySqlStage.open();
      const [a, b] = [await stage.otherRun(), await stage.otherRun()];
      return [a.store.clusterRecords(), b.store.clusterRecords()];
    },
    dispose: () => stage[Symbol.asyncDispose](),
  };
});

describe('cluster records in MySQL', () => {
  const action = { atMs: 5, who: 'ann', what: 'move 7 to node-2', why: '' };
  const plan = { shardId: 7 as ShardId, fromNodeId: 'node-1', toNodeId: 'node-2', epoch: 1 };

  it('are planned again when the connection is lost before COMMIT, once', async () => {
    await using stage = await MySqlStage.open();
    const records = (await stage.run()).store.clusterRecords();
    stage.proxy.cutAtNextCommit('before-answer', /^INSERT INTO cluster_move/);
    expect(await records.planMoves([plan], action)).toMatchObject([plan]);
    expect(stage.proxy.cuts).toBe(1);
    expect(await stage.rows('SELECT COUNT(*) FROM operator_action')).toEqual([[1]]);
  });

  it('are of unknown outcome when COMMIT has no answer: not planned twice', async () => {
    await using stage = await MySqlStage.open();
    const records = (await stage.run()).store.clusterRecords();
    stage.proxy.cutAtNextCommit('before-answer');
    expect(await outcomeOf(records.planMoves([plan], action))).toMatchObject({ said: 'StoreUnavailable' });
    expect(stage.proxy.cuts).toBe(1);
    expect(await records.listOpenMoves()).toMatchObject([plan]);
    expect(await records.planMoves([plan], action)).toEqual([]);
  });

  it('of a shard have one open move by the key of the table, whoever writes it', async () => {
    await using stage = await MySqlStage.open();
    const records = (await stage.otherRun()).store.clusterRecords();
    await records.planMoves([plan], action);
    const second = stage.shell.query(
      `INSERT INTO cluster_move (shard_id, from_node, to_node, epoch, phase, is_open, detail, planned_at_ms, ended_at_ms)
       VALUES (7, 'a', 'b', 1, 0, 1, '', 0, 0)`,
    );
    await expect(second).rejects.toThrow(/one_open_move/);
  });
});
