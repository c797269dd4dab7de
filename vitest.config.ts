import { defineConfig } from 'vitest/config';

interface ProjectOptions {
  readonly isolate?: false;
  /** Started before the first file of the project, and only when there is one to run. */
  readonly globalSetup?: string[];
}

const servers = (...names: readonly string[]) => names.map((name) => `test/servers/${name}-setup.ts`);

const project = (name: string, testTimeoutMs: number, options: ProjectOptions = {}) => ({
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
      project('contract', 60_000, { globalSetup: servers('mysql', 'redis') }),
      project('simulation', 600_000),
      project('integration', 180_000, { globalSetup: servers('mysql', 'redis', 'kafka') }),
    ],
  },
});
