import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../actors/allocator/assert.ts';
import type { ScheduleId, ShardId } from '../../actors/allocator/ids.ts';
import { installationOf } from '../../mysql/installation.ts';
import { migrateSchema } from '../../mysql/schema.ts';
import { requireUsableServer, serverWarnings } from '../../mysql/server-check.ts';
import { answerCalls, postNotice } from '../worker/answer-calls.ts';
import type { StoreProcedures } from '../worker/store-procedures.ts';
import {
  createPerformance,
  createSchedule,
  createVenue,
  listCreationMarks,
  listPerformances,
  listSchedules,
  listVenues,
  loadVenue,
} from './catalog-rows.ts';
import { Connections } from './connections.ts';
import { Journal } from './journal.ts';
import { findJournalBacklog } from './journal-backlog.ts';
import { JournalReader } from './journal-reader.ts';
import type { MySqlWorkerData } from './mysql-worker-data.ts';
import { Outbox } from './outbox.ts';
import { ProjectionLoop } from './projection-loop.ts';
import { Projector } from './projector.ts';
import { readRecoveryImage } from './recovery-image.ts';
import { findReservation, listReservations } from './reservation-rows.ts';
import { storeSchema } from './store-schema.ts';

/**
 * The worker thread that speaks to MySQL: it encodes batches, decodes rows and folds projections, so that the
 * thread that answers requests does none of it.
 */
assert(parentPort !== null, 'mysql-worker.ts runs in a worker thread');
const port = parentPort;
const data = workerData as MySqlWorkerData;

const connections = new Connections(data, {
  onSlowStatement(statement, durationMs) {
    postNotice(port, { kind: 'slow-statement', statement, durationMs });
  },
});
const journal = new Journal(connections.commits, data.holder);
const reader = new JournalReader();
const outbox = new Outbox(reader);
const projector = new Projector(connections.projection, reader, (error) =>
  postNotice(port, { kind: 'projection-error', error }),
);
const loop = new ProjectionLoop(projector, (error) =>
  postNotice(port, { kind: 'fault', fault: 'projecting failed; it is tried again', message: error.message }),
);
const owned = new Set<ShardId>();

/** No batch is committed meanwhile: what was noted of one between reading and setting would be lost. */
async function findBacklog(): Promise<void> {
  await connections.commits.exclusively(async () => {
    reader.clear();
    await connections.readForRecovery(async (session) => {
      const { unprojected, unpublished } = await findJournalBacklog(session, (shardId) => owned.has(shardId));
      projector.setBacklog(unprojected);
      outbox.setBacklog(unpublished);
    });
  });
  loop.wake();
}

const procedures: StoreProcedures = {
  opened: () =>
    connections.read(async (session) => {
      await requireUsableServer(session);
      for (const message of await serverWarnings(session)) postNotice(port, { kind: 'warning', message });
      return await migrateSchema(session, storeSchema);
    }),
  async claimShards(owner, shardIds) {
    const claimed = await journal.claimShards(owner, shardIds);
    for (const { shardId } of claimed) owned.add(shardId);
    await findBacklog();
    return claimed;
  },
  async renewShards(owner, shardIds) {
    const renewed = await journal.renewShards(owner, shardIds);
    for (const shardId of shardIds) owned.delete(shardId);
    for (const { shardId } of renewed) owned.add(shardId);
    await findBacklog();
    return renewed;
  },
  async commit(batch) {
    const outcome = await journal.commit(batch);
    if (outcome === 'committed') {
      reader.noteCommitted(batch.rows);
      projector.noteCommitted(batch.rows);
      outbox.noteCommitted(batch.rows);
      loop.noteCommit();
    }
    return outcome;
  },
  async resolveCommit(batchNumber, shards) {
    const resolution = await journal.resolveCommit(batchNumber, shards);
    if (resolution.outcome === 'committed') await findBacklog();
    return resolution;
  },
  loadSchedule: (scheduleId, endedSinceMs, markedSinceMs) =>
    connections.readForRecovery((session) =>
      readRecoveryImage(session, scheduleId, endedSinceMs, markedSinceMs),
    ),
  async schedulesWithOpenWork() {
    const [open, { unprojected }] = await connections.readForRecovery(
      async (session) =>
        [
          await session.rows<[ScheduleId]>(openWorkSql),
          await findJournalBacklog(session, () => true),
        ] as const,
    );
    return [...new Set([...open, ...unprojected].map(([scheduleId]) => scheduleId))];
  },
  projectAll: () => loop.projectAll(),
  readUnpublished: (eventsMax) => connections.read((session) => outbox.readUnpublished(session, eventsMax)),
  markPublished: (positions) => connections.read((session) => outbox.markPublished(session, positions)),
  trimJournal: (trim) => connections.read((session) => outbox.trimJournal(session, trim)),
  listReservations: (query) => connections.browse((session) => listReservations(session, query)),
  findReservation: (scheduleId, number) =>
    connections.read((session) => findReservation(session, scheduleId, number)),
  createVenue: (venue, mark) => connections.read((session) => createVenue(session, venue, mark)),
  createPerformance: (performance, mark) =>
    connections.read((session) => createPerformance(session, performance, mark)),
  createSchedule: (schedule, mark) => connections.read((session) => createSchedule(session, schedule, mark)),
  // Journal and ledger are in one database: they can't be of two installations.
  linkLedger: (ledgerId) =>
    connections.read(async (session) => ({ journalId: await installationOf(session), ledgerId })),
  listCreationMarks: () => connections.read(listCreationMarks),
  listVenues: () => connections.read(listVenues),
  loadVenue: (venueId) => connections.read((session) => loadVenue(session, venueId)),
  listPerformances: () => connections.read(listPerformances),
  listSchedules: () => connections.read(listSchedules),
  stats: () => ({
    projectionLagEvents: projector.backlogEvents,
    unpublishedEvents: outbox.backlogEvents,
    pools: connections.stats(),
  }),
  async close() {
    await loop.stop();
    await connections.close();
  },
};

const openWorkSql = 'SELECT schedule_id FROM schedule_projection WHERE open_reservations > 0';

answerCalls(port, procedures);
