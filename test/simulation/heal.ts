import { openHolds, openPayments } from './model/journal-model.ts';
import type { OneNodeSimulation } from './one-node-simulation.ts';
import { Prng } from './prng.ts';
import { settlePromises } from './scheduler.ts';
import type { Sale } from './world.ts';

/** I13: after faults heal nothing is stuck for longer than this. */
const healedWithinMs = 10_000;

/**
 * The end of a run. Faults stop, the clock is right again and past every open hold; then every hold must end
 * by itself, every call must be answered, a stop must come to its end, and a fresh process must find the same
 * seats as the old one. What is asked here is judged with the rest of the history.
 */
export async function heal(simulation: OneNodeSimulation): Promise<void> {
  const prng = new Prng(1);
  simulation.trace.add('the faults are over');
  simulation.faults.clear();
  simulation.nodes.killZombie();
  await untilUp(simulation, prng);
  await simulation.runFor(prng, healedWithinMs, () => isQuiet(simulation));

  await endHolds(simulation, prng);
  await serveOwnShards(simulation, prng);
  if (ownSales(simulation).length < simulation.world.sales.length) {
    // Taken by another owner, who is gone: a new process takes them back.
    simulation.nodes.crash('not-landed', 0);
    await untilUp(simulation, prng);
    await endHolds(simulation, prng);
  }

  await askForEverything(simulation, prng, -2);
  simulation.project(Number.POSITIVE_INFINITY);
  simulation.nodes.stop();
  await simulation.runFor(prng, healedWithinMs, () => simulation.nodes.current.phase === 'starting');
  if (simulation.nodes.current.phase !== 'starting')
    simulation.violate('I13', 'a stop does not come to its end');
  await untilUp(simulation, prng);
  await askForEverything(simulation, prng, -3);
}

/** Nobody calls: what is due must end all the same. */
async function endHolds(simulation: OneNodeSimulation, prng: Prng): Promise<void> {
  simulation.jumpClock(pastEveryHoldMs(simulation) - simulation.clock.wallMs);
  const open = () =>
    ownSales(simulation).flatMap(({ scheduleId }) => {
      const { latest } = simulation.database.model(scheduleId);
      // A payment whose time is over must come to its end as well: paid in time, or given back.
      return [...openHolds(latest), ...openPayments(latest)].map((hold) => ({ scheduleId, hold }));
    });
  await simulation.runFor(prng, healedWithinMs, () => isQuiet(simulation) && open().length === 0);
  for (const { scheduleId, hold } of open()) {
    simulation.violate('I13', `schedule ${scheduleId}: hold ${hold.number} is due and stuck`);
  }
}

/** What another owner has taken is gone; the other shards are still ours and must be served. */
async function serveOwnShards(simulation: OneNodeSimulation, prng: Prng): Promise<void> {
  const { history, nodes } = simulation;
  const node = nodes.current;
  const calls = ownSales(simulation).map(({ scheduleId }) =>
    simulation.clients.ask(-1, { kind: 'count', scheduleId }, node),
  );
  await simulation.runFor(prng, healedWithinMs, () => history.openCallsOf(node.owner).length === 0);
  for (const call of calls) {
    if (call.answer?.content.kind !== 'unavailable') continue;
    const { scheduleId } = call.request;
    simulation.violate('I13', `schedule ${scheduleId} is ours and is answered ${call.answer.content.code}`);
  }
}

async function askForEverything(
  simulation: OneNodeSimulation,
  prng: Prng,
  operationId: number,
): Promise<void> {
  const { history, nodes } = simulation;
  const node = nodes.current;
  for (const { scheduleId } of simulation.world.sales) {
    simulation.clients.ask(operationId, { kind: 'audit', scheduleId }, node);
    simulation.clients.ask(operationId, { kind: 'count', scheduleId }, node);
    simulation.clients.ask(operationId, { kind: 'availability', scheduleId }, node);
  }
  await settlePromises();
  await simulation.runFor(prng, healedWithinMs, () => history.openCallsOf(node.owner).length === 0);
  for (const call of history.openCallsOf(node.owner)) {
    simulation.violate('one-answer', `#${call.operationId} is never answered`);
  }
}

async function untilUp(simulation: OneNodeSimulation, prng: Prng): Promise<void> {
  const isUp = () => simulation.nodes.current.phase === 'serving';
  await simulation.runFor(prng, healedWithinMs, isUp);
  if (!isUp())
    simulation.violate('I13', `the node is ${simulation.nodes.current.phase} and does not come up`);
}

const ownSales = (simulation: OneNodeSimulation): readonly Sale[] =>
  simulation.world.sales.filter(({ scheduleId }) =>
    simulation.nodes.owns(simulation.nodes.current, scheduleId),
  );

const isQuiet = ({ history, nodes, scheduler }: OneNodeSimulation): boolean =>
  history.openCallsOf(nodes.current.owner).length === 0 && !scheduler.isBusy;

function pastEveryHoldMs({ database, clock }: OneNodeSimulation): number {
  const expiries = [...database.models.values()].flatMap((model) =>
    openHolds(model.latest).map((hold) => hold.expiresAtMs),
  );
  return Math.max(clock.latestWallMs, ...expiries) + 1;
}
