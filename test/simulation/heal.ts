import { openHolds, openPayments } from './model/journal-model.ts';
import { Prng } from './prng.ts';
import { settlePromises } from './scheduler.ts';
import type { Simulation } from './simulation.ts';
import type { Sale } from './world.ts';

/** I13: after faults heal nothing is stuck for longer than this. */
const healedWithinMs = 10_000;
/** More than any healthy run needs; a run that needs more goes round in circles. */
const turnsMax = 20_000;

/**
 * The end of a run. Faults stop, the clock is right again and past every open hold; then every hold must end
 * by itself, every call must be answered, a stop must come to its end, and a fresh process must find the same
 * seats as the old one. What is asked here is judged with the rest of the history.
 */
export async function heal(simulation: Simulation): Promise<void> {
  const prng = new Prng(1);
  simulation.trace.add('the faults are over');
  simulation.faults.clear();
  simulation.nodes.killZombie();
  await untilUp(simulation, prng);
  await runFor(simulation, prng, healedWithinMs, () => isQuiet(simulation));

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
  await runFor(simulation, prng, healedWithinMs, () => simulation.nodes.current.phase === 'starting');
  if (simulation.nodes.current.phase !== 'starting')
    simulation.violate('I13', 'a stop does not come to its end');
  await untilUp(simulation, prng);
  await askForEverything(simulation, prng, -3);
}

/** Nobody calls: what is due must end all the same. */
async function endHolds(simulation: Simulation, prng: Prng): Promise<void> {
  simulation.jumpClock(pastEveryHoldMs(simulation) - simulation.clock.wallMs);
  const open = () =>
    ownSales(simulation).flatMap(({ scheduleId }) => {
      const { latest } = simulation.database.model(scheduleId);
      // A payment whose time is over must come to its end as well: paid in time, or given back.
      return [...openHolds(latest), ...openPayments(latest)].map((hold) => ({ scheduleId, hold }));
    });
  await runFor(simulation, prng, healedWithinMs, () => isQuiet(simulation) && open().length === 0);
  for (const { scheduleId, hold } of open()) {
    simulation.violate('I13', `schedule ${scheduleId}: hold ${hold.number} is due and stuck`);
  }
}

/** What another owner has taken is gone; the other shards are still ours and must be served. */
async function serveOwnShards(simulation: Simulation, prng: Prng): Promise<void> {
  const { history, nodes } = simulation;
  const node = nodes.current;
  const calls = ownSales(simulation).map(({ scheduleId }) =>
    simulation.clients.ask(-1, { kind: 'count', scheduleId }),
  );
  await runFor(simulation, prng, healedWithinMs, () => history.openCallsOf(node.owner).length === 0);
  for (const call of calls) {
    if (call?.answer?.content.kind !== 'unavailable') continue;
    const { scheduleId } = call.request;
    simulation.violate('I13', `schedule ${scheduleId} is ours and is answered ${call.answer.content.code}`);
  }
}

async function askForEverything(simulation: Simulation, prng: Prng, operationId: number): Promise<void> {
  for (const { scheduleId } of simulation.world.sales) {
    simulation.clients.ask(operationId, { kind: 'audit', scheduleId });
    simulation.clients.ask(operationId, { kind: 'count', scheduleId });
    simulation.clients.ask(operationId, { kind: 'availability', scheduleId });
  }
  await settlePromises();
  const { history, nodes } = simulation;
  const node = nodes.current;
  await runFor(simulation, prng, healedWithinMs, () => history.openCallsOf(node.owner).length === 0);
  for (const call of history.openCallsOf(node.owner)) {
    simulation.violate('one-answer', `#${call.operationId} is never answered`);
  }
}

async function untilUp(simulation: Simulation, prng: Prng): Promise<void> {
  const isUp = () => simulation.nodes.current.phase === 'serving';
  await runFor(simulation, prng, healedWithinMs, isUp);
  if (!isUp())
    simulation.violate('I13', `the node is ${simulation.nodes.current.phase} and does not come up`);
}

/** Until `isDone`, or until nothing happens for so long. Time passes only when there is nothing else to do. */
async function runFor(
  simulation: Simulation,
  prng: Prng,
  durationMs: number,
  isDone: () => boolean,
): Promise<void> {
  const { scheduler, clock } = simulation;
  const endMs = clock.monotonicMs + durationMs;
  for (let turn = 0; turn < turnsMax && !isDone(); turn++) {
    if (await simulation.turn(prng)) continue;
    if (scheduler.isBusy) continue;
    const nextMs = scheduler.nextTimerMs;
    if (nextMs === undefined || clock.monotonicMs + nextMs > endMs) return;
    clock.pass(nextMs);
  }
}

const ownSales = (simulation: Simulation): readonly Sale[] =>
  simulation.world.sales.filter(({ scheduleId }) =>
    simulation.nodes.owns(simulation.nodes.current, scheduleId),
  );

const isQuiet = ({ history, nodes, scheduler }: Simulation): boolean =>
  history.openCallsOf(nodes.current.owner).length === 0 && !scheduler.isBusy;

function pastEveryHoldMs({ database, clock }: Simulation): number {
  const expiries = [...database.models.values()].flatMap((model) =>
    openHolds(model.latest).map((hold) => hold.expiresAtMs),
  );
  return Math.max(clock.latestWallMs, ...expiries) + 1;
}
