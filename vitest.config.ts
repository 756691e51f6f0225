import { defineConfig } from 'vitest/config';

const shared = { pool: 'threads', isolate: false, testTimeout: 60_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
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
