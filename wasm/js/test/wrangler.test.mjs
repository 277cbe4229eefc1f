// The Worker as its users make it, with `wrangler` itself: from the npm package and the
// README, and from the files of a release. No server but those of the tests is asked.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { guestFile, missingNode, recentNode } from "./hosts.mjs";
import { Issuer, NAME } from "./issuer.mjs";
import { install, shown } from "./packed.mjs";
import { LIMIT, call, serve, until, within } from "./upstream.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = path.join(root, "node_modules/wrangler/bin/wrangler.js");

// The Worker of the README imports the package.
async function fromPackage() {
  const { folder, project } = await install();
  for (const [name, language] of Object.entries({ "worker.mjs": "js", "wrangler.jsonc": "jsonc" })) {
    await writeFile(path.join(project, name), shown("Cloudflare Workers", language));
  }
  return { folder, project };
}

// `make wasm` assembles the same folder.
async function fromFiles() {
  const folder = await mkdtemp(path.join(tmpdir(), "edgeauth-worker-"));
  for (const name of (await readdir(root)).filter((name) => name.endsWith(".mjs"))) await cp(path.join(root, name), path.join(folder, name));
  for (const name of ["worker.mjs", "wrangler.jsonc"]) await cp(path.join(root, "examples", name), path.join(folder, name));
  await cp(guestFile, path.join(folder, "edgeauth-gate.wasm"));
  return { folder, project: folder };
}

// A proxy for requests to other servers, which it refuses and records.
async function outside() {
  const asked = [];
  const server = await serve((request, answer) => {
    asked.push(request.url);
    answer.writeHead(403).end();
  });
  server.on("connect", (request, socket) => {
    asked.push(request.url);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  return Object.assign(server, { asked });
}

// The environment of wrangler. Its own files are below the home directory.
function environment(home, proxy) {
  return {
    ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, NO_COLOR: "1", CI: "true",
    WRANGLER_SEND_METRICS: "false", WRANGLER_SEND_ERROR_REPORTS: "false", WRANGLER_HIDE_BANNER: "true", CLOUDFLARE_CF_FETCH_ENABLED: "false",
    HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy, NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost",
  };
}

// dev starts `wrangler dev` and returns its address, and a function that ends it.
async function dev(options) {
  const running = spawn(recentNode, [program, "dev", "--local", "--ip=127.0.0.1", "--port=0", "--inspector-port=0"], { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(running, "exit");
  let output = "";
  for (const stream of [running.stdout, running.stderr]) stream.on("data", (data) => (output += data));
  const kill = () => {
    try {
      process.kill(-running.pid, "SIGKILL"); // with the processes that it started
    } catch {
      // All have ended.
    }
  };
  let url;
  try {
    await until(() => {
      if (running.exitCode !== null) throw new Error("wrangler dev exited");
      url = /Ready on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1];
      return url;
    }, "wrangler dev is ready");
  } catch (error) {
    kill();
    throw new Error(`${error.message}: ${output}`);
  }
  return {
    url, kill,
    async stop() {
      running.kill("SIGINT");
      const [code] = await within(exited, "the end of wrangler dev");
      return code;
    },
  };
}

for (const [name, prepare] of Object.entries({ "the npm package": fromPackage, "the files of a release": fromFiles })) {
  test(`wrangler with ${name}`, { skip: missingNode(), timeout: 300_000 }, async (t) => {
    const { folder, project } = await prepare();
    t.after(() => rm(folder, { recursive: true, maxRetries: 5 }));
    const home = await mkdtemp(path.join(tmpdir(), "edgeauth-wrangler-"));
    t.after(() => rm(home, { recursive: true, maxRetries: 5 }));
    const [issuer, proxy] = [await Issuer.start(), await outside()];
    t.after(() => issuer.close());
    t.after(() => proxy.stop());
    const upstream = await serve((request, answer) => answer.end(JSON.stringify([request.url, request.headers])));
    t.after(() => upstream.stop());
    const options = { cwd: project, env: environment(home, proxy.url) };

    const configuration = path.join(project, "wrangler.jsonc");
    const text = await readFile(configuration, "utf8");
    assert.ok(text.includes(`"ISSUER": "${NAME}"`));
    await writeFile(configuration, text.replace("https://api.example.com/v1/auth", issuer.url).replace("https://app.example.com", upstream.url));

    await t.test("deploy --dry-run", async () => {
      await promisify(execFile)(recentNode, [program, "deploy", "--dry-run", "--outdir=out"], { ...options, timeout: 2 * LIMIT, killSignal: "SIGKILL" });
      const names = await readdir(path.join(project, "out"));
      const guests = names.filter((file) => file.endsWith(".wasm"));
      assert.equal(guests.length, 1, `files of the bundle: ${names}`);
      assert.ok((await readFile(path.join(project, "out", guests[0]))).equals(await readFile(guestFile)), "the guest in the bundle differs");
      assert.ok(names.includes("worker.js"), `files of the bundle: ${names}`);
    });

    await t.test("dev", async () => {
      const worker = await dev(options);
      try {
        const anonymous = await call(`${worker.url}/things?x=1`, { headers: { "X-Auth-User-Id": "eve" } });
        assert.deepEqual([anonymous.status, anonymous.body], [401, '{"detail":"Authentication credentials were not provided."}']);

        const get = () => call(`${worker.url}/things?x=1`, { headers: { Authorization: `Token ${token}`, "X-Auth-User-Id": "eve" } });
        const token = issuer.token();
        const accepted = await get();
        assert.equal(accepted.status, 200, accepted.body);
        const [url, headers] = JSON.parse(accepted.body);
        assert.deepEqual([url, headers["x-auth-user-id"], headers["x-auth-email"]], ["/things?x=1", "user-1", "ada@example.com"]);
        assert.deepEqual([headers.authorization, headers["x-forwarded-for"]], [undefined, "127.0.0.1"]);

        issuer.revoke("session-1");
        let refused;
        await until(async () => (refused = await get()).status !== 200, "the revocation is in force");
        assert.deepEqual([refused.status, refused.body], [401, '{"detail":"Invalid token."}']);

        assert.equal(await worker.stop(), 130, "exit code of wrangler dev after SIGINT");
        await assert.rejects(fetch(worker.url), (error) => error.cause?.code === "ECONNREFUSED");
      } finally {
        worker.kill();
      }
    });

    assert.deepEqual(proxy.asked, [], "requests to other servers");
  });
}
