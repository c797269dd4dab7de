import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeoutMs: number, options: { isolate?: false } = {}) => ({
  test: {
    name,
    ...options,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: testTimeoutMs,
    hookTimeout: testTimeoutMs,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('architecture', 10_000),
      // Pure code for the most part: a fresh process for each file would cost more than all of the tests.
      project('unit', 10_000, { isolate: false }),
      project('contract', 60_000),
      project('simulation', 600_000),
      project('integration', 180_000),
    ],
  },
});
