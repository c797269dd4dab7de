import type { Registry } from 'prom-client';
import { HotHistogram } from './hot-histogram.ts';
import { histogramSamples, register, type Sample } from './metric-family.ts';

/** A route as the metrics name it: `path` is the pattern, so that ids never become labels. */
export interface RouteLabel {
  readonly method: string;
  readonly path: string;
}

const secondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Requests by route and status. A request costs one map look-up and one observation; the number of requests
 * is the histogram's count, so nothing is counted twice.
 */
export class HttpMetrics {
  readonly #routes: readonly RouteLabel[];
  /** By route index, then by status. */
  readonly #durations: readonly Map<number, HotHistogram>[];

  /** @param routes by route index; the last one takes what matched none. */
  constructor(registry: Registry, routes: readonly RouteLabel[]) {
    this.#routes = routes;
    this.#durations = routes.map(() => new Map());
    register(registry, {
      name: 'usher_http_requests_total',
      help: 'Requests answered, by route and status; 499 = the client left first',
      type: 'counter',
      samples: () => this.#samples((histogram, labels) => [{ labels, value: histogram.count }]),
    });
    register(registry, {
      name: 'usher_http_request_duration_seconds',
      help: 'From the first byte of the handler to the last byte handed to the socket',
      type: 'histogram',
      samples: () => this.#samples(histogramSamples),
    });
  }

  httpRequest(routeIndex: number, status: number, durationMs: number): void {
    const byStatus = this.#durations[routeIndex] as Map<number, HotHistogram>;
    let histogram = byStatus.get(status);
    if (histogram === undefined) {
      histogram = new HotHistogram(secondsBounds);
      byStatus.set(status, histogram);
    }
    histogram.observe(durationMs / 1000);
  }

  #samples(
    samplesOf: (histogram: HotHistogram, labels: Sample['labels']) => readonly Sample[],
  ): readonly Sample[] {
    return this.#durations.flatMap((byStatus, routeIndex) => {
      const { method, path } = this.#routes[routeIndex] as RouteLabel;
      return [...byStatus].flatMap(([status, histogram]) =>
        samplesOf(histogram, { method, route: path, status }),
      );
    });
  }
}
