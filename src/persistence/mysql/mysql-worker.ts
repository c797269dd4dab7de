import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../actors/allocator/assert.ts';
import { type ScheduleId, type ShardId, shardCount, shardOf } from '../../actors/allocator/ids.ts';
import type { ShardRecord } from '../../actors/runtime/ports.ts';
import { installationOf } from '../../mysql/installation.ts';
import { migrateSchema } from '../../mysql/schema.ts';
import { requireUsableServer, serverWarnings } from '../../mysql/server-check.ts';
import { answerCalls, postNotice } from '../worker/answer-calls.ts';
import type { CallMessage, Procedures } from '../worker/store-procedures.ts';
import {
  createPerformance,
  createSchedule,
  createVenue,
  findCreationMark,
  listCreationMarks,
  listPerformances,
  listSchedules,
  listVenues,
  loadVenue,
} from './catalog-rows.ts';
import { MySqlClusterRecords } from './cluster-records.ts';
import { Connections, longLimitMs } from './connections.ts';
import type { Creator } from './creation.ts';
import { Journal } from './journal.ts';
import { findBacklogOfShards, findJournalBacklog } from './journal-backlog.ts';
import { JournalFollowers } from './journal-followers.ts';
import { JournalReader } from './journal-reader.ts';
import type { MySqlWorkerData } from './mysql-worker-data.ts';
import { Outbox } from './outbox.ts';
import { ProjectionLoop } from './projection-loop.ts';
import { Projector } from './projector.ts';
import { readRecoveryImage, readTail } from './recovery-image.ts';
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
const followers = new JournalFollowers({
  projector,
  outbox,
  readOwned: () =>
    connections.read(async (session) => (await session.rows<[ShardId]>(ownedSql, [holder])).flat()),
  readBacklog: (isOwned) =>
    connections.apart(backlogLimitMs, (session) => findJournalBacklog(session, isOwned)),
  readBacklogOf: (isAsked) => connections.read((session) => findBacklogOfShards(session, isAsked)),
  shardOf: (scheduleId) => shardOf(scheduleId, shardCount),
});
const loop = new ProjectionLoop(
  projector,
  () => followers.known(),
  ({ message }) => postFault('projecting failed; it is tried again', message),
);
const records = new MySqlClusterRecords((work) => connections.use(work), patienceMs);
const creator: Creator = { use: (work) => connections.use(work), patienceMs };

function postFault(fault: string, message: string): void {
  postNotice(port, { kind: 'fault', fault, message });
}

function followShards(shardIds: readonly ShardId[]): void {
  followers.noteArrived(shardIds);
  loop.wake();
}

const procedures: Procedures = {
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
    const ours = new Set(renewed.map(({ shardId }) => shardId));
    followers.noteNotOwned(shardIds.filter((shardId) => !ours.has(shardId)));
    // Whoever renews is in doubt of more than the catalogue could tell.
    followers.noteOwned(ours);
    loop.wake();
    return renewed;
  },
  listShards: () =>
    connections.read(async (session) => {
      const rows = await session.rows<[ShardId, number, string]>(shardsSql);
      return rows.map(([shardId, epoch, owner]): ShardRecord => ({ shardId, epoch, owner }));
    }),
  async transferShards(shards, newOwner, how) {
    const transferred = await journal.transferShards(shards, newOwner, how);
    const shardIds = transferred.map(({ shardId }) => shardId);
    if (newOwner === holder) followShards(shardIds);
    else followers.noteNotOwned(shardIds);
    return transferred;
  },
  followShards,
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
  loadSchedule: (scheduleId, endedSinceMs, markedSinceMs) =>
    connections.readForRecovery((session) =>
      readRecoveryImage(session, scheduleId, endedSinceMs, markedSinceMs),
    ),
  loadTail: (scheduleId, afterSeq) => connections.read((session) => readTail(session, scheduleId, afterSeq)),
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
  findCreationMark: (key) => connections.read((session) => findCreationMark(session, key)),
  listVenues: (afterId) => connections.read((session) => listVenues(session, afterId)),
  loadVenue: (venueId) => connections.read((session) => loadVenue(session, venueId)),
  listPerformances: (afterId) => connections.read((session) => listPerformances(session, afterId)),
  listSchedules: (afterId) => connections.read((session) => listSchedules(session, afterId)),
  planMoves: (moves, action) => records.planMoves(moves, action),
  listOpenMoves: () => records.listOpenMoves(),
  findMove: (moveId) => records.findMove(moveId),
  updateMove: (moveId, phase, detail, atMs) => records.updateMove(moveId, phase, detail, atMs),
  appendAction: (action) => records.appendAction(action),
  listActions: (limit) => records.listActions(limit),
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

const shardsSql = 'SELECT shard_id, epoch, owner FROM shard ORDER BY shard_id';
const ownedSql = 'SELECT shard_id FROM shard WHERE owner = ?';
const openWorkSql = 'SELECT schedule_id FROM schedule_projection WHERE open_reservations > 0';

// Whoever begins with anything else follows a worker that was lost, and what that one knew was behind.
port.once('message', ({ procedure }: CallMessage) => {
  if (procedure !== 'opened') loop.wake();
});
answerCalls(port, procedures);
