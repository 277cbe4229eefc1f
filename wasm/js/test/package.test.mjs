// The npm package: it contains what its exports need and nothing else, and each runtime
// that reads npm packages runs the program of the README.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { binaries, missing, missingNode, recentNode } from "./hosts.mjs";
import { Issuer } from "./issuer.mjs";
import { described, install, shown } from "./packed.mjs";
import { serve, until } from "./upstream.mjs";

// The programs of the README, and how each runtime runs them. That for Node needs 20.6.
const programs = {
  node: { heading: "Node", flags: [], program: recentNode, skip: missingNode() },
  deno: { heading: "Deno", flags: ["run", "--no-lock", "--allow-net", "--allow-read=."] },
  bun: { heading: "Bun", flags: [] },
};

// freePort returns a port that nothing listens on.
async function freePort() {
  const server = await serve(() => {});
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

test("the npm package", { timeout: 120_000 }, async (t) => {
  const { folder, project, names } = await install();
  t.after(() => rm(folder, { recursive: true }));

  await t.test("contains what it needs", () => {
    assert.deepEqual(names, [...described.files, "README.md", "package.json"].sort());
    for (const target of Object.values(described.exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))) {
      assert.ok(names.includes(target.replace("./", "")), `${target} is exported, but not in the package`);
    }
  });

  const issuer = await Issuer.start();
  t.after(() => issuer.close());
  const upstream = await serve((request, answer) => answer.end(request.headers["x-auth-user-id"]));
  t.after(() => upstream.stop());
  for (const [name, { heading, flags, program = binaries[name], skip = missing(name) }] of Object.entries(programs)) {
    await t.test(`the program of the README in ${name}`, { skip }, async () => {
      const port = await freePort();
      const text = shown(heading, "js").replace("https://api.example.com/v1/auth", issuer.url).replace("http://127.0.0.1:8080", upstream.url).replace("3000", port);
      await writeFile(path.join(project, `${name}.mjs`), text);
      const running = spawn(program, [...flags, `${name}.mjs`], { cwd: project, env: { ...process.env, NO_COLOR: "1" } });
      let output = "";
      for (const stream of [running.stdout, running.stderr]) stream.on("data", (data) => (output += data));
      const get = (headers) => fetch(`http://127.0.0.1:${port}/`, { headers }).then(async (answer) => [answer.status, await answer.text()]);
      try {
        let refused;
        await until(async () => {
          assert.equal(running.exitCode, null, output);
          refused = await get({}).catch(() => undefined);
          return refused;
        }, `${name} listens`);
        assert.deepEqual(refused, [401, '{"detail":"Authentication credentials were not provided."}']);
        assert.deepEqual(await get({ Authorization: `Token ${issuer.token()}` }), [200, "user-1"]);
      } finally {
        const exited = once(running, "exit");
        if (running.exitCode === null && running.signalCode === null) {
          running.kill("SIGKILL");
          await exited;
        }
      }
    });
  }
});
