import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeoutMs: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: testTimeoutMs,
    hookTimeout: testTimeoutMs,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('architecture', 10_000),
      project('unit', 10_000),
      project('contract', 60_000),
      project('simulation', 600_000),
      project('integration', 180_000),
    ],
  },
});
