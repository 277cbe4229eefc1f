// The npm package: it contains what its exports need and nothing else, and each runtime
// that reads npm packages imports it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { binaries, guestFile, missing } from "./hosts.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const described = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));

// pack packs a copy of the package with the guest under test, and returns the folder with
// the package and the names of its files.
async function pack() {
  const folder = await mkdtemp(path.join(tmpdir(), "edgeauth-package-"));
  const source = path.join(folder, "source");
  await mkdir(source);
  for (const name of [...described.files, "README.md", "package.json"]) {
    await cp(name === "edgeauth-gate.wasm" ? guestFile : path.join(root, name), path.join(source, name));
  }
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: source });
  const [packed] = JSON.parse(stdout);
  const installed = path.join(folder, "node_modules", described.name);
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", path.join(folder, packed.filename), "-C", installed, "--strip-components=1"]);
  return { folder, names: packed.files.map((file) => file.path).sort() };
}

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
  const { folder, names } = await pack();
  t.after(() => rm(folder, { recursive: true }));

  await t.test("contains what it needs", () => {
    assert.deepEqual(names, [...described.files, "README.md", "package.json"].sort());
    for (const target of Object.values(described.exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))) {
      assert.ok(names.includes(target.replace("./", "")), `${target} is exported, but not in the package`);
    }
  });

  await writeFile(path.join(folder, "program.mjs"), program);
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ type: "module", dependencies: { [described.name]: "*" } }));
  await cp(new URL("../../../testdata/gate/base.json", import.meta.url), path.join(folder, "base.json"));
  for (const [name, flags] of Object.entries({ node: [], deno: ["run", "--no-lock", "--node-modules-dir=manual", "--allow-read"], bun: [] })) {
    await t.test(`in ${name}`, { skip: missing(name) }, async () => {
      const { stdout } = await run(binaries[name], [...flags, "program.mjs"], { cwd: folder, env: { ...process.env, NO_COLOR: "1" } });
      assert.equal(stdout.trim(), '401 {"detail":"Authentication credentials were not provided."} function');
    });
  }
});
