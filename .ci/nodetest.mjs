// Runs files of tests in Node, each with a time limit: `node ../../.ci/nodetest.mjs FILE...`.
// A file that hangs fails with its name, and its process ends: limits of tests have no effect
// while the process itself hangs. From Node 24 on, only the limit of all files ends it.

import path from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const LIMIT = 15 * 60_000;

const files = process.argv.slice(2).map((file) => path.resolve(file));
run({ files, concurrency: true, timeout: LIMIT, signal: AbortSignal.timeout(2 * LIMIT) })
  .on("test:fail", ({ todo }) => {
    if (todo === undefined) process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
