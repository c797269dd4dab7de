import { Counters } from './counters.ts';
import { History } from './history.ts';
import { Scheduler } from './scheduler.ts';
import { Database } from './store/database.ts';
import { FaultPlan } from './store/fault-plan.ts';
import { Trace } from './trace.ts';
import type { Invariant, Violation } from './violation.ts';
import { VirtualClock } from './virtual-clock.ts';
import { startWallMs, type World } from './world.ts';

/** What all parts of one run share: time, the database, and the books that are kept about them. */
export class Surroundings {
  readonly world: World;
  readonly clock = new VirtualClock(startWallMs);
  readonly scheduler = new Scheduler(this.clock);
  readonly database: Database;
  readonly faults = new FaultPlan();
  readonly history = new History();
  readonly counters = new Counters();
  readonly trace = new Trace();
  /** What was seen to be wrong while it happened; the checks of the history come on top. */
  readonly violations: Violation[] = [];

  constructor(world: World) {
    this.world = world;
    this.database = new Database(world, this.clock, (error) => this.violate('I6', `rows refused: ${error}`));
  }

  violate(invariant: Invariant, message: string): void {
    this.trace.add(`!! ${invariant}: ${message}`);
    this.violations.push({ invariant, message });
  }

  /** Something was done to the node or its store that it may answer with a 503. */
  noteFault(name: string): void {
    this.counters.add(name);
    this.history.noteFault();
  }

  jumpClock(byMs: number): void {
    this.history.noteWall(this.clock.wallMs);
    this.clock.jump(byMs);
    this.history.noteWall(this.clock.wallMs);
  }

  /** Writes the projections of so many events. */
  project(eventCount: number): void {
    try {
      this.database.store.projectSome(eventCount);
    } catch (error) {
      this.violate('I11', `the journal can't be projected: ${error}`);
    }
  }
}
