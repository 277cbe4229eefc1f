// The npm package: it contains what its exports need and nothing else, and each runtime
// that reads npm packages imports it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { binaries, missing } from "./hosts.mjs";
import { described, install } from "./packed.mjs";

const run = promisify(execFile);

// program refuses a request without a token, and prints the status.
const program = `
  import { readFile } from "node:fs/promises";
  import { Edge } from "edgeauth-edge";
  import { createServer } from "edgeauth-edge/node";
  const module = await WebAssembly.compile(await readFile(new URL(import.meta.resolve("edgeauth-edge/edgeauth-gate.wasm"))));
  const keys = JSON.parse(await readFile("base.json", "utf8")).config.keys;
  const edge = new Edge({ module, config: { issuer: "edgeauth", keys }, upstream: "http://127.0.0.1:1" });
  const answer = await edge.fetch(new Request("http://localhost/things"));
  console.log(answer.status, await answer.text(), typeof createServer);
`;

test("the npm package", { timeout: 120_000 }, async (t) => {
  const { folder, project, names } = await install();
  t.after(() => rm(folder, { recursive: true }));

  await t.test("contains what it needs", () => {
    assert.deepEqual(names, [...described.files, "README.md", "package.json"].sort());
    for (const target of Object.values(described.exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))) {
      assert.ok(names.includes(target.replace("./", "")), `${target} is exported, but not in the package`);
    }
  });

  await writeFile(path.join(project, "program.mjs"), program);
  await cp(new URL("../../../testdata/gate/base.json", import.meta.url), path.join(project, "base.json"));
  for (const [name, flags] of Object.entries({ node: [], deno: ["run", "--no-lock", "--node-modules-dir=manual", "--allow-read"], bun: [] })) {
    await t.test(`in ${name}`, { skip: missing(name) }, async () => {
      const { stdout } = await run(binaries[name], [...flags, "program.mjs"], { cwd: project, env: { ...process.env, NO_COLOR: "1" } });
      assert.equal(stdout.trim(), '401 {"detail":"Authentication credentials were not provided."} function');
    });
  }
});
