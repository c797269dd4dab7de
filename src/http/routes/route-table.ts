import { adminRoutes } from './admin-routes.ts';
import { publicRoutes } from './public-routes.ts';
import type { Route } from './route.ts';

export interface NumberedRoute {
  /** The operation's name in code and in the OpenAPI file. */
  readonly id: string;
  /** Place in the metrics; 0 is kept for requests that match no route. */
  readonly index: number;
  readonly route: Route;
}

/** The routes of both ports, in one fixed order. */
export function routeTable(seatsPerReservationMax: number): readonly NumberedRoute[] {
  const all = { ...publicRoutes(seatsPerReservationMax), ...adminRoutes };
  return Object.entries(all).map(([id, route], position) => ({ id, index: position + 1, route }));
}

interface RouteLabel {
  readonly method: string;
  readonly path: string;
}

/** By route index, for metrics. */
export const routeLabels = (table: readonly NumberedRoute[]): readonly RouteLabel[] => [
  { method: 'any', path: 'unmatched' },
  ...table.map(({ route: { method, path } }) => ({ method, path })),
];

/** The value of Allow: what the path knows. HEAD goes where GET goes. */
export function allowOf(routes: readonly Route[], path: string): string {
  const methods = routes.filter((route) => route.path === path).map((route) => route.method);
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
}
