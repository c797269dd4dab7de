import { describe, expect, test } from 'vitest';
import type { ShardId } from '../../../src/actors/allocator/ids.ts';
import { placeOrphans, planDrain, planRebalance } from '../../../src/cluster/placement.ts';
import { forEachSeed, type SeededRandom } from '../actors/seeded-random.ts';
import { Layout, nodesNamed } from './placement-layout.ts';

const instancesOf = (moves: readonly { to: { instanceId: string } }[]): string[] =>
  [...new Set(moves.map(({ to }) => to.instanceId))].sort();

/** `count` shards, nobody's, placed on the nodes. */
function placed(count: number, names: string, rates: (shard: number) => number = () => 0): Layout {
  const layout = new Layout(nodesNamed(names), count, rates);
  layout.carryOut(placeOrphans(layout.nodes, layout.shards));
  return layout;
}

describe('orphans', () => {
  test('of a fresh cluster are spread evenly, and not in one piece', () => {
    const layout = placed(256, 'a b c');
    expect(Object.values(layout.counts()).sort()).toEqual([85, 85, 86]);
    const owners = layout.shards.map(({ owner }) => owner);
    expect(new Set(owners.slice(0, 12)).size).toBe(3);
  });

  test('of a node that is gone go to the others, and nothing else moves', () => {
    const layout = placed(256, 'a b c');
    const before = layout.owners();
    layout.nodes = layout.nodes.filter(({ nodeId }) => nodeId !== 'b');
    const placements = placeOrphans(layout.nodes, layout.shards);
    expect(placements.map(({ shardId }) => shardId).sort((x, y) => x - y)).toEqual(
      [...before].filter(([, owner]) => owner === 'b/1').map(([shardId]) => shardId),
    );
    layout.carryOut(placements);
    expect(layout.counts()).toEqual({ 'a/1': 128, 'c/1': 128 });
    expect(planRebalance(layout.nodes, layout.shards)).toEqual([]);
  });

  test('that are much asked for are not given to one node', () => {
    const layout = placed(64, 'a b', (shard) => (shard < 4 ? 500 : 1));
    for (const { instanceId } of layout.nodes) {
      expect(layout.of(instanceId).filter(({ shardId }) => shardId < 4)).toHaveLength(2);
    }
  });

  test('are spread by count while next to nothing is asked', () => {
    const layout = placed(256, 'a b c', (shard) => (shard === 7 ? 0.2 : 0));
    for (const count of Object.values(layout.counts())) expect(count).toBeGreaterThan(80);
  });

  test('go to nobody who drains, and to nobody at all where all do', () => {
    const layout = new Layout(nodesNamed('a b!'), 16);
    expect(instancesOf(placeOrphans(layout.nodes, layout.shards))).toEqual(['a/1']);
    layout.nodes = nodesNamed('a! b!');
    expect(placeOrphans(layout.nodes, layout.shards)).toEqual([]);
    expect(placeOrphans([], layout.shards)).toEqual([]);
  });

  test('of a node that drains are none: it serves them until they have moved', () => {
    const layout = placed(16, 'a b');
    layout.nodes = nodesNamed('a b!');
    expect(placeOrphans(layout.nodes, layout.shards)).toEqual([]);
  });
});

describe('a rebalance', () => {
  test('onto a fourth node moves a quarter, and only to it', () => {
    const layout = placed(256, 'a b c');
    layout.nodes = nodesNamed('a b c d');
    const moves = planRebalance(layout.nodes, layout.shards);
    expect([moves.length, instancesOf(moves)]).toEqual([64, ['d/1']]);
    layout.carryOut(moves);
    expect(Object.values(layout.counts())).toEqual([64, 64, 64, 64]);
  });

  test('onto a twenty-first node fills it: one that is too light is uneven, too', () => {
    const names = Array.from({ length: 21 }, (_, index) => `n${index + 10}`);
    const layout = placed(2_100, names.slice(0, 20).join(' '));
    layout.nodes = nodesNamed(names.join(' '));
    const moves = planRebalance(layout.nodes, layout.shards);
    expect(instancesOf(moves)).toEqual(['n30/1']);
    // Within 1 % is enough.
    expect([99, 100]).toContain(moves.length);
  });

  test('leaves a spread alone that is nearly even', () => {
    const layout = placed(256, 'a b c', (shard) => 10 + (shard % 3));
    expect(layout.spread()).toBeGreaterThan(0);
    expect(planRebalance(layout.nodes, layout.shards)).toEqual([]);
  });

  test('takes nothing from a node that drains, and gives it nothing', () => {
    const layout = placed(64, 'a b');
    layout.nodes = nodesNamed('a b! c');
    const moves = planRebalance(layout.nodes, layout.shards);
    expect(moves).toHaveLength(16);
    expect(moves.every(({ from, to }) => from.nodeId === 'a' && to.nodeId === 'c')).toBe(true);
    layout.nodes = nodesNamed('a! b!');
    expect(planRebalance(layout.nodes, layout.shards)).toEqual([]);
  });

  test('parts two hot shards that share a node', () => {
    const layout = placed(64, 'a b c');
    const [first, second] = layout.of('a/1').map(({ shardId }) => shardId);
    layout.setRates((shard) => (shard === first || shard === second ? 1_000 : 0));
    const moves = planRebalance(layout.nodes, layout.shards);
    expect(moves.filter(({ shardId }) => shardId === first || shardId === second)).toHaveLength(1);
    expect(moves.length).toBeLessThan(30);
  });

  /** Nodes n0, n1 … with shards of these rates. @returns for each move its shard's rate, and whence and whither. */
  function rebalanced(...ratesOfNodes: readonly (readonly number[])[]): readonly string[] {
    const rates = ratesOfNodes.flat();
    const layout = new Layout(
      nodesNamed(ratesOfNodes.map((_, index) => `n${index}`).join(' ')),
      rates.length,
      (shard) => rates[shard] ?? 0,
    );
    const owners = ratesOfNodes.flatMap((own, index) => own.map(() => layout.nodes[index]!));
    layout.carryOut(layout.shards.map(({ shardId }) => ({ shardId, to: owners[shardId]! })));
    return planRebalance(layout.nodes, layout.shards).map(
      ({ shardId, from, to }) => `${rates[shardId]}: ${from.nodeId} to ${to.nodeId}`,
    );
  }

  test('gives to each node what it lacks, and none more than that', () => {
    const light = [6, 6, 6, 5.9];
    const moves = rebalanced([30, 10, 10, 10, 10, 1, 1, 1, 1], light, light, light, light);
    expect(moves.toSorted()).toEqual(['10: n0 to n1', '10: n0 to n2', '10: n0 to n3', '10: n0 to n4']);
  });

  test('takes from each node what it has too much of, and from none more than that', () => {
    const heavy = [40.1, 10, 1, 1, 1, 1];
    const moves = rebalanced(heavy, heavy, heavy, heavy, [4]);
    expect(moves).toEqual(['10: n0 to n4', '10: n1 to n4', '10: n2 to n4', '10: n3 to n4']);
  });

  test('spreads a node’s only two shards over nodes that have none', () => {
    const layout = new Layout(nodesNamed('a b c'), 2);
    layout.carryOut(layout.shards.map(({ shardId }) => ({ shardId, to: layout.nodes[0]! })));
    const moves = planRebalance(layout.nodes, layout.shards);
    expect(moves).toHaveLength(1);
  });
});

describe('a shard that alone is more than a node’s share', () => {
  const hot = (layout: Layout): ShardId => layout.of('b/1')[7]!.shardId;

  test('stays, and so do idle shards beside it', () => {
    const layout = placed(256, 'a b c');
    const shardId = hot(layout);
    layout.setRates((shard) => (shard === shardId ? 5_000 : 0));
    expect(planRebalance(layout.nodes, layout.shards)).toEqual([]);
  });

  test('stays, and what is asked of the shards beside it moves away', () => {
    const layout = placed(256, 'a b c');
    const shardId = hot(layout);
    const busy = layout
      .of('b/1')
      .slice(10, 14)
      .map((shard) => shard.shardId);
    layout.setRates((shard) => (shard === shardId ? 5_000 : busy.includes(shard as ShardId) ? 150 : 0));
    const moves = planRebalance(layout.nodes, layout.shards);
    expect(moves.map((move) => move.shardId)).toEqual(busy);
    expect(moves.filter(({ to }) => to.nodeId === 'a')).toHaveLength(2);
  });

  test('does not keep its node from sharing idle shards with one that joins', () => {
    const layout = placed(256, 'b');
    layout.setRates((shard) => (shard === 7 ? 5_000 : 0));
    layout.nodes = nodesNamed('a b c');
    const moves = planRebalance(layout.nodes, layout.shards);
    layout.carryOut(moves);
    expect(moves.some((move) => move.shardId === 7)).toBe(false);
    expect(Math.max(...Object.values(layout.counts()))).toBeLessThanOrEqual(88);
  });

  test('does not count as a reason to empty the others', () => {
    const layout = placed(256, 'a b c');
    const shardId = hot(layout);
    layout.nodes = nodesNamed('a b c d');
    layout.setRates((shard) => (shard === shardId ? 5_000 : 1));
    layout.carryOut(planRebalance(layout.nodes, layout.shards));
    const { 'a/1': a = 0, 'c/1': c = 0, 'd/1': d = 0 } = layout.counts();
    expect(Math.max(a, c, d) - Math.min(a, c, d)).toBeLessThanOrEqual(4);
  });

  test('comes and goes without moving back and forth', () => {
    const layout = placed(256, 'a b c');
    const shardId = hot(layout);
    const rates = [5_000, 0, 4_000, 1, 6_000, 0];
    for (const rate of rates) {
      layout.setRates((shard) => (shard === shardId ? rate : 0));
      expect(planRebalance(layout.nodes, layout.shards)).toEqual([]);
    }
  });
});

describe('a drain', () => {
  test('moves all of a node’s shards to the others, evenly', () => {
    const layout = placed(256, 'a b c');
    layout.nodes = nodesNamed('a! b c');
    const moves = planDrain('a/1', layout.nodes, layout.shards);
    expect(moves.map(({ shardId }) => shardId).sort((x, y) => x - y)).toEqual(
      layout.of('a/1').map(({ shardId }) => shardId),
    );
    expect(moves.every(({ from }) => from.nodeId === 'a')).toBe(true);
    layout.carryOut(moves);
    expect(layout.counts()).toEqual({ 'a/1': 0, 'b/1': 128, 'c/1': 128 });
  });

  test('plans for a node that does not yet say that it drains', () => {
    const layout = placed(64, 'a b');
    const moves = planDrain('a/1', layout.nodes, layout.shards);
    expect([moves.length, instancesOf(moves)]).toEqual([32, ['b/1']]);
  });

  test('is empty without a node that could take them, and for one that is not there', () => {
    const layout = placed(64, 'a b');
    layout.nodes = nodesNamed('a! b!');
    expect(planDrain('a/1', layout.nodes, layout.shards)).toEqual([]);
    expect(planDrain('z/1', layout.nodes, layout.shards)).toEqual([]);
  });
});

describe('any cluster', () => {
  /** Uneven in every way: nodes that joined, left and drain, shards that nobody asks for, and very hot ones. */
  function anyLayout(random: SeededRandom): Layout {
    const names = Array.from({ length: random.between(1, 9) }, (_, index) => `n${index}`);
    const layout = new Layout(
      nodesNamed(names.map((name) => (random.chance(10) ? `${name}!` : name)).join(' ')),
      random.pick([8, 64, 256]),
    );
    const owners = random.sample(layout.nodes, random.between(1, layout.nodes.length));
    const orphanPercent = random.pick([0, 0, 30]);
    layout.carryOut(
      layout.shards
        .filter(() => !random.chance(orphanPercent))
        .map(({ shardId }) => ({ shardId, to: random.pick(owners) })),
    );
    const hotPercent = random.pick([0, 2, 20]);
    const busyPercent = random.pick([0, 20, 100]);
    layout.setRates(() =>
      random.chance(hotPercent)
        ? random.between(500, 5_000)
        : random.chance(busyPercent)
          ? random.int(800) / 10
          : 0,
    );
    return layout;
  }

  test('is planned the same in whatever order nodes and shards come', () => {
    forEachSeed(200, (random) => {
      const { nodes, shards } = anyLayout(random);
      const [otherNodes, otherShards] = [
        random.sample(nodes, nodes.length),
        random.sample(shards, shards.length),
      ];
      expect(planRebalance(otherNodes, otherShards)).toEqual(planRebalance(nodes, shards));
      expect(placeOrphans(otherNodes, otherShards)).toEqual(placeOrphans(nodes, shards));
    });
  });

  test('is balanced within the bound by a plan, and planning again is empty', () => {
    let plans = 0;
    let hotNodes = 0;
    forEachSeed(600, (random) => {
      const layout = anyLayout(random);
      layout.carryOut(placeOrphans(layout.nodes, layout.shards));
      const before = layout.squares();
      const moves = planRebalance(layout.nodes, layout.shards);
      layout.carryOut(moves);
      if (moves.length > 0) expect(layout.squares()).toBeLessThan(before);
      if (moves.length > 0) plans += 1;
      hotNodes += layout.expectBalanced();
      expect(planRebalance(layout.nodes, layout.shards)).toEqual([]);
    });
    expect(plans).toBeGreaterThan(200);
    expect(hotNodes).toBeGreaterThan(50);
  });

  test('is evened out by little more weight than has to move', () => {
    let moved = 0;
    let excess = 0;
    forEachSeed(300, (random) => {
      const layout = anyLayout(random);
      const moves = planRebalance(layout.nodes, layout.shards);
      if (moves.length === 0) return;
      // Of a few shards one may be much more than what there is to even out.
      const most = layout.shards.length > 8 ? 1.5 : 2;
      expect(layout.weightOf(moves)).toBeLessThan(most * layout.excess());
      moved += layout.weightOf(moves);
      excess += layout.excess();
    });
    expect(moved).toBeLessThan(1.02 * excess);
  });

  test('on which nothing is measured is evened out by as few moves as there can be', () => {
    forEachSeed(200, (random) => {
      const layout = anyLayout(random);
      layout.setRates(() => 0);
      const takers = layout.nodes.filter(({ isDraining }) => !isDraining);
      const counts = takers.map(({ instanceId }) => layout.of(instanceId).length);
      const most = Math.ceil(counts.reduce((sum, count) => sum + count, 0) / takers.length);
      const surplus = counts.reduce((sum, count) => sum + Math.max(0, count - most), 0);
      const moves = planRebalance(layout.nodes, layout.shards);
      // Where not all nodes can have the same number, filling the last ones up to one less takes a move each.
      expect(moves.length).toBeLessThanOrEqual(surplus + Math.max(0, takers.length - 1));
    });
  });

  test('has its orphans placed within the bound where nobody had anything', () => {
    forEachSeed(200, (random) => {
      const layout = anyLayout(random);
      layout.shards = layout.shards.map((shard) => ({ ...shard, owner: undefined }));
      const placements = placeOrphans(layout.nodes, layout.shards);
      const isTaken = layout.nodes.some(({ isDraining }) => !isDraining);
      expect(placements).toHaveLength(isTaken ? layout.shards.length : 0);
      layout.carryOut(placements);
      layout.expectBalanced();
    });
  });

  test('never gives a shard to a node that drains, nor moves one that it does not own', () => {
    forEachSeed(300, (random) => {
      const { nodes, shards } = anyLayout(random);
      const owners = new Map(shards.map(({ shardId, owner }) => [shardId, owner]));
      const drained = random.pick(nodes).instanceId;
      const moves = [...planRebalance(nodes, shards), ...planDrain(drained, nodes, shards)];
      for (const { shardId, from, to } of moves) {
        expect(from.instanceId).toBe(owners.get(shardId));
        expect([to.isDraining, to === from]).toEqual([false, false]);
      }
      for (const { shardId, to } of placeOrphans(nodes, shards)) {
        expect([owners.get(shardId), to.isDraining]).toEqual([undefined, false]);
      }
    });
  });
});
