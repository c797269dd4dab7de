import { expect, test } from 'vitest';
import { MemoryRegistry, MemoryRegistryData } from '../../src/cluster/memory/memory-registry.ts';
import { ManualClock } from '../unit/actors/runtime/manual-clock.ts';
import { nodeRecord, registryContract } from './registry-contract.ts';

registryContract('the memory registry', () => {
  const clock = new ManualClock();
  const data = new MemoryRegistryData(clock);
  return {
    open: async () => new MemoryRegistry(data),
    pass: (ms) => clock.advance(ms),
    loseEverything: async () => data.loseEverything(),
    loseNodes: async () => data.loseNodes(),
    loseShards: async () => data.loseShards(),
    dispose: async () => {},
  };
});

test('the memory registry takes the effect of a call before it returns', () => {
  const data = new MemoryRegistryData(new ManualClock());
  const registry = new MemoryRegistry(data);
  void registry.beat({ record: nodeRecord('a'), leaseMs: 1, wantsToCoordinate: true });
  expect([[...data.nodes.keys()], data.coordinatorId]).toEqual([
    [nodeRecord('a').instanceId],
    nodeRecord('a').instanceId,
  ]);
});

test('the memory registry keeps nothing of a node whose lease has ended', async () => {
  const clock = new ManualClock();
  const data = new MemoryRegistryData(clock);
  const registry = new MemoryRegistry(data);
  await registry.beat({ record: nodeRecord('a'), leaseMs: 10, wantsToCoordinate: true });
  await clock.advance(10);
  await registry.beat({ record: nodeRecord('b'), leaseMs: 10, wantsToCoordinate: false });
  expect([...data.nodes.keys()]).toEqual([nodeRecord('b').instanceId]);
});
