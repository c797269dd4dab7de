import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../actors/allocator/assert.ts';
import type { ScheduleId, ShardId } from '../../actors/allocator/ids.ts';
import { installationOf } from '../../mysql/installation.ts';
import { migrateSchema } from '../../mysql/schema.ts';
import { requireUsableServer, serverWarnings } from '../../mysql/server-check.ts';
import { answerCalls, postNotice } from '../worker/answer-calls.ts';
import type { CallMessage, StoreProcedures } from '../worker/store-procedures.ts';
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
import { Connections, longLimitMs } from './connections.ts';
import type { Creator } from './creation.ts';
import { Journal } from './journal.ts';
import { findJournalBacklog } from './journal-backlog.ts';
import { JournalFollowers } from './journal-followers.ts';
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

const { patienceMs, holder } = data;
const connections = new Connections(data, {
  onSlowStatement: (statement, durationMs) =>
    postNotice(port, { kind: 'slow-statement', statement, durationMs }),
  onReplicaFault: ({ message }) => postFault('the replica failed; the primary answers for it', message),
});
const journal = new Journal(connections.commits, holder, patienceMs);
const reader = new JournalReader();
const outbox = new Outbox(reader);
const projector = new Projector(connections.projection, reader, (error) =>
  postNotice(port, { kind: 'projection-error', error }),
);
const readOwned = (owner: string) =>
  connections.read(async (session) => (await session.rows<[ShardId]>(ownedSql, [owner])).flat());
const followers = new JournalFollowers({
  projector,
  outbox,
  readOwned: () => readOwned(holder),
  readBacklog: (isOwned) =>
    connections.apart(backlogLimitMs, (session) => findJournalBacklog(session, isOwned)),
});
const loop = new ProjectionLoop(
  projector,
  () => followers.known(),
  ({ message }) => postFault('projecting failed; it is tried again', message),
);
const creator: Creator = { use: (work) => connections.use(work), patienceMs };

function postFault(fault: string, message: string): void {
  postNotice(port, { kind: 'fault', fault, message });
}

const procedures: StoreProcedures = {
  opened: () =>
    connections.apart(longLimitMs, async (session) => {
      await requireUsableServer(session);
      for (const message of await serverWarnings(session)) postNotice(port, { kind: 'warning', message });
      return await migrateSchema(session, storeSchema);
    }),
  async claimShards(owner, shardIds) {
    const claimed = await journal.claimShards(owner, shardIds);
    followers.noteOwned(claimed.map(({ shardId }) => shardId));
    loop.wake();
    return claimed;
  },
  async renewShards(owner, shardIds) {
    const renewed = await journal.renewShards(owner, shardIds);
    followers.noteNotOwned(shardIds);
    followers.noteOwned(renewed.map(({ shardId }) => shardId));
    loop.wake();
    return renewed;
  },
  async commit(batch) {
    const outcome = await journal.commit(batch);
    if (outcome === 'committed') {
      reader.noteCommitted(batch.rows);
      followers.noteCommitted(batch);
      loop.noteCommit();
    }
    return outcome;
  },
  async resolveCommit(batchNumber, shards) {
    const resolution = await journal.resolveCommit(batchNumber, shards);
    if (resolution.outcome === 'committed') {
      followers.noteDoubt();
      loop.wake();
    }
    return resolution;
  },
  ownedShards: readOwned,
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
  async readUnpublished(eventsMax) {
    await followers.knownWithin(backlogWaitMs);
    return connections.read((session) => outbox.readUnpublished(session, eventsMax));
  },
  markPublished: (positions) => connections.read((session) => outbox.markPublished(session, positions)),
  trimJournal: (trim) => connections.read((session) => outbox.trimJournal(session, trim)),
  listReservations: (query) => connections.browse((session) => listReservations(session, query)),
  findReservation: (scheduleId, number) =>
    connections.read((session) => findReservation(session, scheduleId, number)),
  createVenue: (venue, mark) => createVenue(creator, venue, mark),
  createPerformance: (performance, mark) => createPerformance(creator, performance, mark),
  createSchedule: (schedule, mark) => createSchedule(creator, schedule, mark),
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
    const stopped = loop.stop();
    connections.abandonApart();
    await stopped;
    await connections.close();
  },
};

/** For very many schedules; and a call that needs the answer waits less than its limit. */
const backlogLimitMs = 20_000;
const backlogWaitMs = 8_000;

const ownedSql = 'SELECT shard_id FROM shard WHERE owner = ?';
const openWorkSql = 'SELECT schedule_id FROM schedule_projection WHERE open_reservations > 0';

// Whoever begins with anything else follows a worker that was lost, and what that one knew was behind.
port.once('message', ({ procedure }: CallMessage) => {
  if (procedure !== 'opened') loop.wake();
});
answerCalls(port, procedures);
