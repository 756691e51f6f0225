import { defineConfig } from 'vitest/config';

/** In a real VS Code: heavy, so not beside the other tests. Two files at a time, for much of each is waiting. */
export default defineConfig({
  test: {
    include: ['test/vscode/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 120_000,
    retry: 1,
  },
});
