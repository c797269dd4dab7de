import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import { mayBeBusy } from '../checks/answer-checks.ts';
import { openHolds, openPayments } from '../model/journal-model.ts';
import { Prng } from '../prng.ts';
import { settlePromises } from '../scheduler.ts';
import type { ClusterProcess } from './cluster-process.ts';
import type { ClusterSimulation } from './cluster-simulation.ts';

/** I13: after faults heal nothing is stuck for longer than this. */
const healedWithinMs = 10_000;

/**
 * The end of a run with several nodes. Faults stop, clocks are right again. Then, each within 10 s: every shard has
 * one owner, who serves it, and all nodes find it; every call is answered; every move has ended; what is due ends by
 * itself. A node that is told to stop gives its shards away, and one that starts afresh finds the same seats.
 */
export async function healCluster(simulation: ClusterSimulation): Promise<void> {
  const prng = new Prng(1);
  await checkMoves(simulation);
  simulation.trace.add('the faults are over');
  endFaults(simulation);
  await simulation.untilOwned(prng, 'after the faults');
  await untilQuiet(simulation, prng);
  await endHolds(simulation, prng);
  await untilMovesEnd(simulation, prng);
  await askEverybody(simulation, prng, -2);

  simulation.project(Number.POSITIVE_INFINITY);
  await stopOne(simulation, prng);
  await askEverybody(simulation, prng, -3);

  for (const { place } of simulation.cluster.processes)
    simulation.cluster.kill(place, 'not-landed', 0, false);
  simulation.history.noteFault();
  simulation.cluster.start(1);
  await simulation.untilOwned(prng, 'after all nodes were killed');
  await askEverybody(simulation, prng, -4);
}

/** Without a fault no move fails between nodes that stay. */
async function checkMoves(simulation: ClusterSimulation): Promise<void> {
  if (simulation.history.hasFaulted) return;
  for (const { moveId, phase, detail, fromNodeId, toNodeId } of await simulation.cluster.moves()) {
    if (phase !== 'failed' || simulation.isInMotion(fromNodeId) || simulation.isInMotion(toNodeId)) continue;
    simulation.violate('I13', `move ${moveId} failed without a fault: ${detail}`);
  }
}

/** Operators do their part: places that are empty get a node, and nodes that were drained are started anew. */
function endFaults({ cluster, faults, drained, clock, history }: ClusterSimulation): void {
  faults.clear();
  cluster.faults.clear();
  cluster.network.mended();
  cluster.goOn();
  cluster.mayLoseShards = true;
  cluster.killGhosts();
  for (const { owner, place } of cluster.processes) {
    clock.skew(owner, 0);
    if (!drained.has(owner)) continue;
    history.noteFault();
    cluster.kill(place, 'not-landed', 0, false);
  }
  cluster.startEverywhere();
}

async function untilQuiet(simulation: ClusterSimulation, prng: Prng): Promise<void> {
  const open = () =>
    simulation.cluster.processes.flatMap(({ owner }) => simulation.history.openCallsOf(owner));
  // Somebody may be about to ask again elsewhere.
  const isQuiet = () => open().length === 0 && !simulation.scheduler.isBusy;
  await simulation.runFor(prng, healedWithinMs, isQuiet);
  for (const call of open()) {
    simulation.violate('one-answer', `#${call.operationId} at node ${call.node} is never answered`);
  }
}

async function endHolds(simulation: ClusterSimulation, prng: Prng): Promise<void> {
  const { world, database, clock } = simulation;
  const open = () =>
    world.sales.flatMap(({ scheduleId }) => {
      const { latest } = database.model(scheduleId);
      return [...openHolds(latest), ...openPayments(latest)].map((hold) => ({ scheduleId, hold }));
    });
  const lastMs = Math.max(clock.latestWallMs, ...open().map(({ hold }) => hold.expiresAtMs));
  simulation.jumpClock(lastMs + 1 - clock.wallMs);
  await simulation.runFor(prng, healedWithinMs, () => open().length === 0);
  for (const { scheduleId, hold } of open()) {
    simulation.violate('I13', `schedule ${scheduleId}: hold ${hold.number} is due and stuck`);
  }
}

async function untilMovesEnd(simulation: ClusterSimulation, prng: Prng): Promise<void> {
  const { cluster } = simulation;
  let open = await cluster.records.listOpenMoves();
  const look = async () => {
    open = await cluster.records.listOpenMoves();
  };
  await simulation.runFor(prng, healedWithinMs, () => {
    void look();
    return open.length === 0;
  });
  for (const { moveId, phase } of open)
    simulation.violate('I13', `move ${moveId} is ${phase}, and does not end`);
}

/** SIGTERM for the owner of the first schedule: nobody notices, and its shards are with others by then. */
async function stopOne(simulation: ClusterSimulation, prng: Prng): Promise<void> {
  const { cluster, world } = simulation;
  cluster.startEverywhere();
  await simulation.untilOwned(prng, 'before a stop');
  const scheduleId = world.sales[0]?.scheduleId as ScheduleId;
  const owner = cluster.ownerOf(scheduleId);
  const node = cluster.processes.find(({ instanceId }) => instanceId === owner);
  if (node === undefined) return;
  cluster.stop(node.place);
  await simulation.runFor(prng, stopMaxMs, () => cluster.at(node.place) !== node);
  if (cluster.at(node.place) === node) {
    simulation.violate('I13', `a stop of node ${node.owner} does not come to its end`);
  }
  await simulation.untilOwned(prng, 'after a stop');
}

/**
 * Each node is asked for each schedule, wherever that is, again and again for as long as healing may take: a link that
 * a node began to open before the faults were over may have to fail first.
 */
async function askEverybody(simulation: ClusterSimulation, prng: Prng, operationId: number): Promise<void> {
  const { clock } = simulation;
  const endMs = clock.monotonicMs + healedWithinMs;
  let refusals = await askOnce(simulation, prng, operationId);
  while (refusals.length > 0 && clock.monotonicMs < endMs) {
    refusals = await askOnce(simulation, prng, operationId);
  }
  for (const refusal of refusals) simulation.violate('I13', refusal);
}

/** @returns a line a call that was refused though nobody is busy. */
async function askOnce(
  simulation: ClusterSimulation,
  prng: Prng,
  operationId: number,
): Promise<readonly string[]> {
  const { cluster, clients, world } = simulation;
  const asked = (node: ClusterProcess, kind: 'audit' | 'count' | 'availability') =>
    world.sales.map(({ scheduleId }) => clients.ask(operationId, { kind, scheduleId }, node, clientTriesMax));
  const calls = cluster
    .serving()
    .flatMap((node) => [...asked(node, 'count'), ...asked(node, 'audit'), ...asked(node, 'availability')]);
  await settlePromises();
  await untilQuiet(simulation, prng);
  return calls.flatMap(({ answer, node, request }) => {
    if (answer?.content.kind !== 'unavailable' || mayBeBusy(world, answer.content)) return [];
    const { code } = answer.content;
    return [`${request.kind} of schedule ${request.scheduleId} at node ${node}: ${code}`];
  });
}

/** What is asked here is not asked again. */
const clientTriesMax = 99;
/** Its drain may take 10 s. */
const stopMaxMs = 15_000;
