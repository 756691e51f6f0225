import { defineConfig } from 'vitest/config';

/** In a real VS Code: heavy, so not beside the other tests, and one file after another. */
export default defineConfig({
  test: {
    include: ['test/vscode/**/*.test.ts'],
    pool: 'threads',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
    retry: 1,
  },
});
