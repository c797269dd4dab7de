import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ShardId } from '../../src/actors/allocator/ids.ts';
import type { ClusterRecords, MovePhase, MovePlan } from '../../src/actors/runtime/cluster-records.ts';

/** One set of records, as two nodes see them. */
export interface RecordsHarness {
  open(): Promise<readonly [ClusterRecords, ClusterRecords]>;
  dispose(): Promise<void>;
}

/** Every sentence of the ClusterRecords port, for every adapter. */
export function clusterRecordsContract(name: string, makeHarness: () => RecordsHarness): void {
  describe(name, () => {
    let harness: RecordsHarness;
    let records: ClusterRecords;
    /** Of another node. */
    let others: ClusterRecords;

    beforeEach(async () => {
      harness = makeHarness();
      [records, others] = await harness.open();
    });
    afterEach(() => harness.dispose());

    const plan = (shardId: number, toNodeId = 'node-2'): MovePlan => ({
      shardId: shardId as ShardId,
      fromNodeId: 'node-1',
      toNodeId,
      epoch: 2 ** 40 + shardId,
    });
    const action = (what: string, atMs = 5) => ({ atMs, who: 'ann', what, why: 'Öl: "\\ it\'s 🎫"' });
    const shardsOf = (moves: readonly MovePlan[]) => moves.map(({ shardId }) => shardId);

    it('have nothing at first', async () => {
      expect(await records.listOpenMoves()).toEqual([]);
      expect(await records.listActions(10)).toEqual([]);
      expect(await records.findMove(1)).toBeUndefined();
      expect(await records.updateMove(1, 'running', '', 5)).toBe(false);
    });

    it('plan moves in order, for every node to see, and keep who asked for them', async () => {
      const planned = await records.planMoves(
        [plan(200), plan(3), plan(17, 'node-3')],
        action('drain node-1', 7),
      );
      expect(planned).toEqual(
        [plan(200), plan(3), plan(17, 'node-3')].map((each, i) => ({
          ...each,
          moveId: planned[0]!.moveId + i,
          phase: 'planned',
          detail: '',
          plannedAtMs: 7,
          endedAtMs: 0,
        })),
      );
      expect(planned[0]!.moveId).toBeGreaterThan(0);
      expect(await others.listOpenMoves()).toEqual(planned);
      expect(await others.findMove(planned[1]!.moveId)).toEqual(planned[1]);
      expect(await others.listActions(10)).toEqual([action('drain node-1', 7)]);
    });

    it('leave a shard out that has an open move, or that the same plan names twice', async () => {
      const first = await records.planMoves([plan(1)], action('move 1'));
      const second = await others.planMoves([plan(1, 'node-3'), plan(2), plan(2, 'node-3')], action('drain'));
      expect(second).toMatchObject([plan(2)]);
      expect(await records.listOpenMoves()).toEqual([...first, ...second]);
    });

    it('keep the action also where no move is left, or none was asked for', async () => {
      await records.planMoves([plan(1)], action('first'));
      expect(await others.planMoves([plan(1)], action('second'))).toEqual([]);
      expect(await records.planMoves([], action('third'))).toEqual([]);
      expect((await records.listActions(10)).map(({ what }) => what)).toEqual(['third', 'second', 'first']);
    });

    it('have one open move a shard, however many nodes plan at once', async () => {
      const shards = Array.from({ length: 40 }, (_, shard) => shard);
      for (let round = 0; round < 5; round++) {
        const both = await Promise.all([
          records.planMoves(
            shards.map((shard) => plan(shard)),
            action('rebalance'),
          ),
          others.planMoves(
            shards.toReversed().map((shard) => plan(shard)),
            action('drain'),
          ),
        ]);
        expect(shardsOf(both.flat()).sort((a, b) => a - b)).toEqual(shards);
        const open = await records.listOpenMoves();
        expect(shardsOf(open).sort((a, b) => a - b)).toEqual(shards);
        expect(open.map(({ moveId }) => moveId)).toEqual(
          open.map(({ moveId }) => moveId).sort((a, b) => a - b),
        );
        for (const { moveId } of open) await records.updateMove(moveId, 'failed', 'next round', 9);
      }
    });

    const phases: readonly [from: readonly MovePhase[], to: Exclude<MovePhase, 'planned'>, boolean][] = [
      [[], 'running', true],
      [[], 'failed', true],
      [[], 'done', false],
      [['running'], 'done', true],
      [['running'], 'failed', true],
      [['running'], 'running', false],
      [['running', 'done'], 'failed', false],
      [['running', 'done'], 'running', false],
      [['running', 'failed'], 'done', false],
      [['failed'], 'running', false],
      [['failed'], 'failed', false],
    ];

    it.each(phases)('after planned, %j: to %s is %s', async (from, to, moves) => {
      const [{ moveId } = { moveId: 0 }] = await records.planMoves([plan(1)], action('move'));
      for (const phase of from) await records.updateMove(moveId, phase as typeof to, `because ${phase}`, 20);
      const before = await records.findMove(moveId);
      expect(await others.updateMove(moveId, to, `because ${to}`, 30)).toBe(moves);
      const after = await records.findMove(moveId);
      const hasEnded = to !== 'running';
      expect(after).toEqual(
        moves ? { ...before, phase: to, detail: `because ${to}`, endedAtMs: hasEnded ? 30 : 0 } : before,
      );
    });

    it('may move a shard again once its move has ended, and keep the old ones', async () => {
      const moveIds: number[] = [];
      for (const end of ['done', 'failed', 'done'] as const) {
        const [move] = await records.planMoves([plan(1)], action('move'));
        await records.updateMove(move!.moveId, 'running', '', 10);
        expect(shardsOf(await records.listOpenMoves())).toEqual([1]);
        expect(await records.updateMove(move!.moveId, end, '', 10)).toBe(true);
        expect(await records.listOpenMoves()).toEqual([]);
        moveIds.push(move!.moveId);
      }
      const kept = await Promise.all(moveIds.map((id) => others.findMove(id)));
      expect(kept.map((move) => move?.phase)).toEqual(['done', 'failed', 'done']);
    });

    it('take a reason of any length, and shorten it', async () => {
      const [move] = await records.planMoves([plan(1)], action('move'));
      const reason = 'ö'.repeat(5_000);
      await records.updateMove(move!.moveId, 'failed', reason, 10);
      const { detail } = (await records.findMove(move!.moveId))!;
      expect(reason.startsWith(detail)).toBe(true);
      expect(detail.length).toBe(1_000);
    });

    it('list the newest actions first, as many as are asked for', async () => {
      const long = 'x'.repeat(500);
      for (let i = 1; i <= 4; i++) await records.appendAction(action(`${i}`, 100 - i));
      await others.appendAction({ atMs: 1, who: long, what: long, why: '' });
      const [newest, ...before] = await records.listActions(3);
      expect(newest).toEqual({ atMs: 1, who: long, what: long, why: '' });
      expect(before).toEqual([action('4', 96), action('3', 97)]);
    });
  });
}
