import type { Metric, Registry } from 'prom-client';
import type { HotHistogram } from './hot-histogram.ts';

/**
 * Metrics that keep their own numbers and are read at scrape time. prom-client's Registry asks of a metric
 * no more than this shape: a name, and `get()` with its samples (prom-client/lib/registry.js).
 */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  samples(): readonly Sample[];
}

export interface Sample {
  /** Appended to the family's name, as in `_bucket`. */
  readonly suffix?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export function register(registry: Registry, family: MetricFamily): void {
  const { name, help, type } = family;
  const metric = {
    name,
    help,
    type,
    get: () => ({
      name,
      help,
      type,
      aggregator: 'sum',
      values: family.samples().map(({ suffix, labels, value }) => ({
        metricName: `${name}${suffix ?? ''}`,
        labels,
        value,
      })),
    }),
    reset: () => {},
  };
  registry.registerMetric(metric as unknown as Metric);
}

/** The samples of one histogram: a bucket a bound, +Inf, sum and count. */
export function histogramSamples(histogram: HotHistogram, labels: Sample['labels']): readonly Sample[] {
  const counts = histogram.cumulativeCounts();
  return [
    ...histogram.bounds.map((bound, index) => ({
      suffix: '_bucket',
      labels: { ...labels, le: bound },
      value: counts[index] as number,
    })),
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: histogram.count },
    { suffix: '_sum', labels, value: histogram.sum },
    { suffix: '_count', labels, value: histogram.count },
  ];
}

export const histogramFamily = (name: string, help: string, histogram: HotHistogram): MetricFamily => ({
  name,
  help,
  type: 'histogram',
  samples: () => histogramSamples(histogram, {}),
});

export const counterFamily = (name: string, help: string, read: () => number): MetricFamily => ({
  name,
  help,
  type: 'counter',
  samples: () => [{ labels: {}, value: read() }],
});

/** A counter with one label, kept in a map from the label's value. */
export const labelledCounter = (
  name: string,
  help: string,
  label: string,
  counts: ReadonlyMap<string, number>,
): MetricFamily => ({
  name,
  help,
  type: 'counter',
  samples: () => [...counts].map(([value, count]) => ({ labels: { [label]: value }, value: count })),
});
