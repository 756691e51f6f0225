import { defineConfig } from 'vitest/config';

/** Measurements in a real VS Code; not part of the tests. */
export default defineConfig({
  test: { include: ['test/vscode/*Bench.ts'], fileParallelism: false, pool: 'threads', testTimeout: 900_000 },
});
