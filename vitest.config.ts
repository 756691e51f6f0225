import { defineConfig } from 'vitest/config';

// Processes, not threads: a thread that ends closes what it believes to be its descriptors, also those of others.
const shared = { pool: 'forks', isolate: false, testTimeout: 60_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    // Tests with real processes mostly wait.
    maxWorkers: '100%',
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'real',
          include: ['test/{integration,e2e}/**/*.test.ts'],
          // Real processes on a busy machine may be too slow once. What fails twice is broken.
          retry: 1,
        },
      },
    ],
  },
});
