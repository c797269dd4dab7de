import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import type { ProjectionImage } from '../../../src/actors/runtime/ports.ts';
import type { Call } from '../history.ts';
import type { JournalModel } from '../model/journal-model.ts';
import type { Bank } from '../money/bank.ts';
import type { CardCompany } from '../money/card-company.ts';
import type { LogEntry } from '../store/database.ts';
import type { World } from '../world.ts';

/** All that the checks may look at: what was set up, what clients were told, what the database holds. */
export interface Evidence {
  readonly world: World;
  readonly calls: readonly Call[];
  readonly models: ReadonlyMap<ScheduleId, JournalModel>;
  readonly images: ReadonlyMap<ScheduleId, ProjectionImage>;
  readonly log: readonly LogEntry[];
  readonly bank: Bank;
  readonly cardCompany: CardCompany;
}
