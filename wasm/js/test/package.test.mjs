// The npm package: it contains what its exports need and nothing else, and each runtime
// that reads npm packages runs the program of the README.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { binaries, kill, missing, missingNode, recentNode } from "./hosts.mjs";
import { Issuer } from "./issuer.mjs";
import { described, install, shown } from "./packed.mjs";
import { call, serve, until } from "./upstream.mjs";

// The programs of the README, and how each runtime runs them. That for Node needs 20.6. The
// system chooses the port, which a changed line prints; Deno prints it without.
const programs = {
  node: {
    heading: "Node", flags: [], program: recentNode, skip: missingNode(),
    line: ".listen(3000)", changed: ".listen(0, function () { console.log(`Listening on port ${this.address().port}`); })",
  },
  deno: { heading: "Deno", flags: ["run", "--no-lock", "--allow-net", "--allow-read=."], line: "port: 3000", changed: "port: 0" },
  bun: {
    heading: "Bun", flags: [], line: "Bun.serve({\n  port: 3000,",
    changed: "queueMicrotask(() => console.log(`Listening on port ${server.port}`));\nconst server = Bun.serve({\n  port: 0,",
  },
};

test("the npm package", { timeout: 300_000 }, async (t) => {
  const { folder, project, names } = await install();
  t.after(() => rm(folder, { recursive: true, maxRetries: 5 }));

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
  for (const [name, { heading, flags, line, changed, program = binaries[name], skip = missing(name) }] of Object.entries(programs)) {
    await t.test(`the program of the README in ${name}`, { skip }, async () => {
      const text = shown(heading, "js").replace("https://api.example.com/v1/auth", issuer.url).replace("http://127.0.0.1:8080", upstream.url);
      assert.ok(text.includes(line), text);
      await writeFile(path.join(project, `${name}.mjs`), text.replace(line, () => changed));
      const running = spawn(program, [...flags, `${name}.mjs`], { cwd: project, env: { ...process.env, NO_COLOR: "1" } });
      let output = "";
      for (const stream of [running.stdout, running.stderr]) stream.on("data", (data) => (output += data));
      try {
        let port;
        await until(() => {
          assert.equal(running.exitCode, null, output);
          return (port = /Listening on (?:port |\S+:)(\d+)/.exec(output)?.[1]);
        }, `${name} listens`);
        const get = (headers) => call(`http://127.0.0.1:${port}/`, { headers }).then(({ status, body }) => [status, body]);
        assert.deepEqual(await get({}), [401, '{"detail":"Authentication credentials were not provided."}']);
        assert.deepEqual(await get({ Authorization: `Token ${issuer.token()}` }), [200, "user-1"]);
      } finally {
        await kill(running);
      }
    });
  }
});
