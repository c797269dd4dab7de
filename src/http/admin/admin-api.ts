import type { AllocatorService } from '../../actors/runtime/allocator-service.ts';
import type { ClusterControl } from '../../actors/runtime/cluster-control.ts';
import { OperatorAccess } from '../access/operator-access.ts';
import type { AdminRoutes } from '../routes/admin-routes.ts';
import { createApp, type RequestHandler, routeHandler } from '../routes/app.ts';
import type { Endpoint, Endpoints } from '../routes/route.ts';
import { routeTable } from '../routes/route-table.ts';
import type { Gate } from '../routes/serve-route.ts';
import type { HttpLog } from '../server/failure.ts';
import {
  drainNode,
  listOperatorActions,
  moveShard,
  readCluster,
  readMove,
  rebalanceCluster,
} from './cluster.ts';
import { createPerformance } from './performances.ts';
import {
  auditSchedule,
  blockSeats,
  createSchedule,
  listSchedules,
  readSchedule,
  unblockSeats,
} from './schedules.ts';
import { createVenue, type VenueImport } from './venues.ts';

export interface AdminApiOptions {
  readonly service: AllocatorService;
  readonly venues: VenueImport;
  readonly cluster: ClusterControl;
  readonly metrics: MetricsText;
  /** The operator's bearer token. */
  readonly adminToken: string;
  readonly seatsPerReservationMax: number;
  readonly bodyBytesMax: number;
  readonly log: HttpLog;
}

interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Everything on the admin port. */
export function createAdminApi(options: AdminApiOptions): RequestHandler {
  const { service, venues, cluster, metrics, seatsPerReservationMax, bodyBytesMax, log } = options;
  const { catalog } = service;
  const endpoints: Endpoints<AdminRoutes> = {
    createVenue: createVenue(catalog, venues),
    createPerformance: createPerformance(catalog),
    createSchedule: createSchedule(catalog),
    listSchedules: listSchedules(service),
    readSchedule: readSchedule(service, cluster),
    auditSchedule: auditSchedule(service),
    blockSeats: blockSeats(service),
    unblockSeats: unblockSeats(service),
    readCluster: readCluster(cluster),
    moveShard: moveShard(cluster),
    readMove: readMove(cluster),
    drainNode: drainNode(cluster),
    rebalanceCluster: rebalanceCluster(cluster),
    listOperatorActions: listOperatorActions(cluster),
    metrics: async () => ({
      status: 200,
      headers: ['Content-Type', metrics.contentType],
      body: await metrics.text(),
    }),
  };
  const operator = new OperatorAccess(options.adminToken);
  const gate: Gate = ({ incoming }, access) => operator.refuse(incoming, access === 'operator-or-loopback');
  const routes = routeTable(seatsPerReservationMax).filter(({ route }) => route.port === 'admin');
  const handlers = Object.fromEntries(
    routes.map((entry) => [
      entry.id,
      routeHandler(
        entry,
        endpoints[entry.id as keyof AdminRoutes] as unknown as Endpoint,
        gate,
        bodyBytesMax,
      ),
    ]),
  );
  return createApp(routes, handlers, log);
}
