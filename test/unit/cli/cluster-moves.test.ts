import { describe, expect, test } from 'vitest';
import { AdminCallFailed } from '../../../src/cli/admin-client.ts';
import { UsageError } from '../../../src/cli/command.ts';
import { openAdminPort } from '../http/open-port.ts';
import { moveRecord } from '../http/scripted-cluster.ts';
import { runCluster, tellOfMoves } from './cluster-stage.ts';

const two = [moveRecord(1), moveRecord(2, { toNodeId: 'node-3' })];

describe('a move is followed to its end', () => {
  test('drain shows its plan, then a line for each change', async () => {
    await using open = await openAdminPort();
    open.cluster.planned = two;
    // The first look is at what was under way before.
    tellOfMoves(open.cluster, two, [
      ['done', 'done'],
      ['sealed', 'planned'],
      ['done', 'done'],
    ]);
    const ran = await runCluster(open.port, 'drain', 'node-1', '--who', 'ada', '--why', 'upgrade');
    expect(ran).toEqual({
      status: 0,
      stdout: [
        '2 moves planned',
        'from    to      shards  which',
        'node-1  node-2  1       1',
        'node-1  node-3  1       2',
        'moved 0 of 2, 1 in flight, 0 failed',
        'moved 2 of 2, 0 in flight, 0 failed',
        '',
      ].join('\n'),
      stderr: '',
    });
    expect(open.cluster.asked).toEqual([{ drain: 'node-1', by: { who: 'ada', why: 'upgrade' } }]);
  });

  test('one that failed is told, with why, and the command fails', async () => {
    await using open = await openAdminPort();
    open.cluster.planned = two;
    tellOfMoves(open.cluster, two, [['done', 'failed']]);
    const ran = await runCluster(open.port, 'rebalance');
    expect(ran.status).toBe(1);
    expect(ran.stdout).toContain('moved 1 of 2, 0 in flight, 1 failed\n');
    expect(ran.stderr).toBe('move 2 FAILED: shard 2 from node-1 to node-3: node-2 is silent\n');
  });

  test('for machines: stdout is the moves as they ended, and nothing else', async () => {
    await using open = await openAdminPort();
    open.cluster.planned = [moveRecord(1)];
    tellOfMoves(open.cluster, [moveRecord(1)], [['done']]);
    const ran = await runCluster(open.port, 'move', '1', 'node-2', '--json');
    expect(ran.status).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ moves: [{ moveId: 1, phase: 'done' }] });
    expect(ran.stderr).toBe('moved 1 of 1, 0 in flight, 0 failed\n');
  });

  test('a drain that is repeated follows what is under way already, and no other node’s moves', async () => {
    await using open = await openAdminPort();
    const underWay = [moveRecord(1), moveRecord(2, { fromNodeId: 'node-3' })];
    tellOfMoves(open.cluster, underWay, [
      ['sealed', 'sealed'],
      ['done', 'sealed'],
    ]);
    const ran = await runCluster(open.port, 'drain', 'node-1');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toContain('1 move planned\n');
    expect(ran.stdout).toContain('moved 1 of 1, 0 in flight, 0 failed\n');
  });

  test('no longer than asked: the rest goes on, and the command fails', async () => {
    await using open = await openAdminPort();
    open.cluster.planned = two;
    tellOfMoves(open.cluster, two, [
      ['done', 'done'],
      ['done', 'sealed'],
    ]);
    const ran = await runCluster(open.port, 'drain', 'node-1', '--wait-max', '1');
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('no longer waiting: 1 of 2 go on');
  });
});

describe('what is not followed', () => {
  test('--no-wait ends when the moves are planned', async () => {
    await using open = await openAdminPort();
    open.cluster.planned = two;
    tellOfMoves(open.cluster, two, [['sealed', 'planned']]);
    const ran = await runCluster(open.port, 'rebalance', '--no-wait');
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/^2 moves planned\n/);
    expect(ran.stdout).not.toContain('moved');
  });

  test('--no-wait for machines', async () => {
    await using open = await openAdminPort();
    open.cluster.planned = [moveRecord(1)];
    const ran = await runCluster(open.port, 'move', '1', 'node-2', '--no-wait', '--json');
    expect(JSON.parse(ran.stdout)).toEqual({
      moves: [{ moveId: 1, shardId: 1, fromNodeId: 'node-1', toNodeId: 'node-2', phase: 'planned' }],
    });
  });

  test('a dry run shows the plan, and nothing is done', async () => {
    await using open = await openAdminPort();
    open.cluster.plan = [moveRecord(4), moveRecord(5), moveRecord(7)];
    const ran = await runCluster(open.port, 'rebalance', '--dry-run');
    expect(ran).toMatchObject({
      status: 0,
      stdout: '3 moves would be made\nfrom    to      shards  which\nnode-1  node-2  3       4–5, 7\n',
    });
    expect(open.cluster.asked).toEqual([{ planRebalance: true }]);
  });

  test('a dry run for machines', async () => {
    await using open = await openAdminPort();
    open.cluster.plan = [moveRecord(4)];
    const ran = await runCluster(open.port, 'rebalance', '--dry-run', '--json');
    expect(JSON.parse(ran.stdout)).toEqual({
      moves: [{ shardId: 4, fromNodeId: 'node-1', toNodeId: 'node-2' }],
    });
  });

  test.each([
    [['drain', 'node-1'], 'node-1 has no shards to give\n'],
    [['rebalance'], 'the load is spread: nothing to move\n'],
    [['rebalance', '--dry-run'], 'the load is spread: nothing to move\n'],
    [['drain', 'node-1', '--json'], '{"moves":[]}\n'],
  ])('nothing to do: %j', async (args, stdout) => {
    await using open = await openAdminPort();
    expect(await runCluster(open.port, ...args)).toEqual({ status: 0, stdout, stderr: '' });
  });
});

describe('refused', () => {
  test.each([
    ['unknown-node', /^400 There is a reason\.\n {2}toNodeId: is not a node of the cluster$/],
    ['not-a-cluster', /^409 There is a reason\.$/],
  ] as const)('by the cluster: %s', async (refusal, message) => {
    await using open = await openAdminPort();
    open.cluster.planned = { refusal, message: 'There is a reason.' };
    const failed = await runCluster(open.port, 'move', '1', 'node-9').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(AdminCallFailed);
    expect((failed as AdminCallFailed).message).toMatch(message);
  });

  test.each([
    [[], /takes one of status, move, drain, rebalance, actions, got ""/],
    [['explode'], /got "explode"/],
    [['toString'], /got "toString"/],
    [['move'], /which SHARD and NODE\?/],
    [['move', '1'], /which NODE\?/],
    [['move', 'one', 'node-2'], /SHARD takes an integer from 0, got "one"/],
    [['move', '1', 'node-2', 'node-3'], /too many arguments: node-3/],
    [['drain'], /which NODE\?/],
    [['drain', 'node-1', '--wait-max', '0'], /--wait-max takes seconds from 1, got "0"/],
    [['drain', 'node-1', '--wait-max', '9', '--no-wait'], /no --wait-max/],
    [['drain', 'node-1', '--who', 'Zoë'], /--who takes 1 to 100 printable ASCII characters/],
    [['actions', '--limit', '1001'], /--limit takes an integer from 1 to 1000/],
  ])('as a wrong call: %j', async (args, message) => {
    await using open = await openAdminPort();
    // Without its arguments no sub-command comes to ask a port.
    const failed = await runCluster(open.port, ...args).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(UsageError);
    expect((failed as UsageError).message.replace('"--admin-url"', '""')).toMatch(message);
    expect(open.cluster.asked).toEqual([]);
  });

  test.each([
    ['status', '--why', 'x'],
    ['move', '1', 'node-2', '--dry-run'],
    ['status', 'node-1'],
  ])('with what it does not take: %s %s', async (...args) => {
    await using open = await openAdminPort();
    await expect(runCluster(open.port, ...args)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_PARSE_ARGS/),
    });
  });
});
