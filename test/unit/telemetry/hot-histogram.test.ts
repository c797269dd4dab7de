import { expect, test } from 'vitest';
import { HotHistogram } from '../../../src/telemetry/hot-histogram.ts';
import { histogramSamples } from '../../../src/telemetry/metric-family.ts';

test('counts into the first bound that is not below, and all of them in the total', () => {
  const histogram = new HotHistogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 5, 5.1, 100]) histogram.observe(value);
  expect(histogram.cumulativeCounts()).toEqual([2, 4, 5]);
  expect(histogram.count).toBe(7);
  expect(histogram.sum).toBeCloseTo(114.6);
});

test('a histogram without observations is all zeros', () => {
  expect(new HotHistogram([1]).cumulativeCounts()).toEqual([0]);
});

test('samples are what Prometheus expects of a histogram', () => {
  const histogram = new HotHistogram([1, 2]);
  histogram.observe(1.5);
  histogram.observe(3);
  expect(histogramSamples(histogram, { route: '/x' })).toEqual([
    { suffix: '_bucket', labels: { route: '/x', le: 1 }, value: 0 },
    { suffix: '_bucket', labels: { route: '/x', le: 2 }, value: 1 },
    { suffix: '_bucket', labels: { route: '/x', le: '+Inf' }, value: 2 },
    { suffix: '_sum', labels: { route: '/x' }, value: 4.5 },
    { suffix: '_count', labels: { route: '/x' }, value: 2 },
  ]);
});
