import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../actors/allocator/assert.ts';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import { openDatabase } from '../../sqlite/database.ts';
import { migrate, schemaVersion } from '../../sqlite/migrate.ts';
import { Transactions } from '../../sqlite/transactions.ts';
import { queryRows } from '../../sqlite/typed-rows.ts';
import { answerCalls, postNotice } from '../worker/answer-calls.ts';
import type { StoreProcedures } from '../worker/store-procedures.ts';
import { CatalogRows } from './catalog-rows.ts';
import { Journal } from './journal.ts';
import { linkLedger } from './ledger-link.ts';
import { migrations } from './migrations.ts';
import { Outbox } from './outbox.ts';
import { ProjectionPacer } from './projection-pacer.ts';
import { Projector } from './projector.ts';
import { RecoveryImageReader } from './recovery-image.ts';
import { ReservationRows } from './reservation-rows.ts';
import type { SqliteWorkerData } from './sqlite-worker-data.ts';

/**
 * The worker thread that owns usher.db: the file's only writer, one call at a time, in the order of arrival.
 * An error while opening ends the thread, and the main thread hears its message.
 */
assert(parentPort !== null, 'sqlite-worker.ts runs in a worker thread');
const port = parentPort;
const { directory } = workerData as SqliteWorkerData;

const db = openDatabase(directory, 'usher.db');
migrate(db, migrations);
const transactions = new Transactions(db);
const journal = new Journal(db, transactions);
const projector = new Projector(db, transactions, (error) =>
  postNotice(port, { kind: 'projection-error', error }),
);
const pacer = new ProjectionPacer(projector);
const outbox = new Outbox(db, transactions);
const images = new RecoveryImageReader(db);
const reservations = new ReservationRows(db);
const catalog = new CatalogRows(db, transactions);
const openSchedules = db.prepare('SELECT schedule_id FROM schedule_projection WHERE open_reservations > 0', {
  returnArrays: true,
});

const procedures: StoreProcedures = {
  opened: () => schemaVersion(db),
  claimShards: (owner, shardIds) => journal.claimShards(owner, shardIds),
  renewShards: (owner, shardIds) => journal.renewShards(owner, shardIds),
  listShards: () => journal.listShards(),
  transferShards: (shards, newOwner) => journal.transferShards(shards, newOwner),
  // The one process that has the file follows all of its journal.
  followShards: () => {},
  commit(batch) {
    const outcome = journal.commit(batch);
    if (outcome === 'committed') {
      projector.noteCommitted(batch.rows);
      outbox.noteCommitted(batch.rows);
      pacer.noteCommit();
    }
    return outcome;
  },
  resolveCommit(batchNumber, shards) {
    const resolution = journal.resolveCommit(batchNumber, shards);
    if (resolution.outcome === 'committed') {
      projector.findBacklog();
      outbox.findBacklog();
      pacer.noteCommit();
    }
    return resolution;
  },
  loadSchedule: (scheduleId, endedSinceMs, markedSinceMs) =>
    images.read(scheduleId, endedSinceMs, markedSinceMs),
  loadTail: (scheduleId, afterSeq) => images.readTail(scheduleId, afterSeq),
  schedulesWithOpenWork() {
    const open = queryRows<[ScheduleId]>(openSchedules).map(([scheduleId]) => scheduleId);
    return [...new Set([...open, ...projector.schedulesBehind()])];
  },
  projectAll: () => pacer.projectAll(),
  readUnpublished: (eventsMax) => outbox.readUnpublished(eventsMax),
  markPublished: (positions) => outbox.markPublished(positions),
  trimJournal: (trim) => outbox.trimJournal(trim),
  listReservations: (query) => reservations.listReservations(query),
  findReservation: (scheduleId, number) => reservations.findReservation(scheduleId, number),
  createVenue: (venue, mark) => catalog.createVenue(venue, mark),
  createPerformance: (performance, mark) => catalog.createPerformance(performance, mark),
  createSchedule: (schedule, mark) => catalog.createSchedule(schedule, mark),
  linkLedger: (ledgerId) => linkLedger(db, transactions, ledgerId),
  listCreationMarks: () => catalog.listCreationMarks(),
  findCreationMark: (key) => catalog.findCreationMark(key),
  listVenues: (afterId) => catalog.listVenues(afterId),
  loadVenue: (venueId) => catalog.loadVenue(venueId),
  listPerformances: (afterId) => catalog.listPerformances(afterId),
  listSchedules: (afterId) => catalog.listSchedules(afterId),
  stats: () => ({
    projectionLagEvents: projector.backlogEvents,
    unpublishedEvents: outbox.backlogEvents,
    pools: [],
  }),
  close() {
    pacer.stop();
    db.close();
  },
};

pacer.start();
answerCalls(port, procedures);
