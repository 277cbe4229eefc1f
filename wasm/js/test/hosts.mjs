// The JavaScript hosts of the tests. Each is started in a separate folder with the
// modules, the guest and a script, as a user would do.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { within } from "./upstream.mjs";

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("..", import.meta.url));

/** The guest under test. */
export const guestFile = process.env.EDGEAUTH_GATE ?? path.join(root, "../../dist/edgeauth-gate.wasm");

// binary returns the file of the first package that is installed: each platform has its
// own.
function binary(...candidates) {
  for (const candidate of candidates) {
    try {
      return require.resolve(candidate);
    } catch {
      // The package is for another platform.
    }
  }
  return undefined;
}

const { platform, arch } = process;
/** The programs of the hosts. */
export const binaries = {
  node: process.execPath,
  workerd: binary(`@cloudflare/workerd-${platform}-${arch === "x64" ? "64" : arch}/bin/workerd`),
  deno: binary(`@deno/${platform}-${arch}-glibc/deno`, `@deno/${platform}-${arch}/deno`),
  bun: binary(`@oven/bun-${platform}-${arch}/bin/bun`),
};

const [major, minor] = process.versions.node.split(".").map(Number);
/** A Node of version 22.12 or newer: this one, or that of the development dependencies. */
export const recentNode = major > 22 || (major === 22 && minor >= 12) ? process.execPath : binary(`node-${platform}-${arch}/bin/node`);

/** Returns why a test that needs recentNode cannot run here, or false. CI requires it. */
export function missingNode() {
  if (recentNode) return false;
  if (process.env.CI === "true") throw new Error("Node 22.12 or newer is not installed: npm ci");
  return "this needs Node 22.12 or newer";
}

/** The scripts of the examples. */
export const examples = { node: "server.mjs", workerd: "worker.mjs", deno: "deno.mjs", bun: "bun.mjs" };

export const names = Object.keys(binaries);

/** Returns why a host cannot be tested here, or false. In CI every host is required. */
export function missing(name) {
  if (binaries[name]) return false;
  if (process.env.CI === "true") throw new Error(`${name} is not installed: npm ci`);
  return `${name} is not installed: npm ci in wasm/js brings it`;
}

/** A running host. */
export class Host {
  /**
   * Starts a host by its name.
   *
   * - script: its file below wasm/js; default: the example
   * - files: others that it needs
   * - variables: those of its environment
   * - texts: further files by name, with their content
   * - guest: the bytes of another guest
   */
  static async start(name, { script = `examples/${examples[name]}`, files = [], texts = {}, variables = {}, guest } = {}) {
    const host = new Host();
    host.name = name;
    host.folder = await mkdtemp(path.join(tmpdir(), `edgeauth-${name}-`));
    for (const file of [script, ...files, ...(await readdir(root)).filter((file) => file.endsWith(".mjs"))]) {
      await cp(path.join(root, file), path.join(host.folder, path.basename(file)));
    }
    for (const [file, text] of Object.entries(texts)) await writeFile(path.join(host.folder, file), text);
    await writeFile(path.join(host.folder, "edgeauth-gate.wasm"), guest ?? (await readFile(guestFile)));
    try {
      if (name === "workerd") await host.workerd(path.basename(script), variables);
      else await host.server(path.basename(script), variables);
    } catch (error) {
      await host.stop();
      throw new Error(`${error.message}: ${host.output}`);
    }
    return host;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async server(script, variables) {
    const flags = { node: [], deno: ["run", "--no-lock", "--allow-net", "--allow-env", "--allow-read=."], bun: [] }[this.name];
    const lines = this.spawn([...flags, script], { ...variables, PORT: "0" }, ["ignore", "pipe", "pipe"]);
    this.port = await this.listens(lines, /listening on port (\d+)/);
  }

  // workerd gets the configuration that wrangler makes of wrangler.jsonc.
  async workerd(script, variables) {
    const text = JSON.stringify;
    const scripts = (await readdir(this.folder)).filter((file) => file.endsWith(".mjs"));
    scripts.sort((a, b) => (b === script) - (a === script)); // workerd runs the first one
    await writeFile(path.join(this.folder, "config.capnp"), `
      using Workerd = import "/workerd/workerd.capnp";
      const config :Workerd.Config = (
        services = [
          (name = "edge", worker = .worker),
          (name = "internet", network = (allow = ["private", "public"])),
        ],
        sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "edge")],
      );
      const worker :Workerd.Worker = (
        modules = [
          ${scripts.map((file) => `(name = ${text(file)}, esModule = embed ${text(file)}),`).join("\n")}
          (name = "edgeauth-gate.wasm", wasm = embed "edgeauth-gate.wasm"),
        ],
        bindings = [${Object.entries(variables).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`).join(", ")}],
        compatibilityDate = ${text(await compatibilityDate())},
      );`);
    const lines = this.spawn(["serve", "--control-fd=3", "config.capnp"], {}, ["ignore", "pipe", "pipe", "pipe"]);
    this.port = await this.listens(lines, /"event":"listen".*"port":(\d+)/);
  }

  spawn(args, variables, stdio) {
    this.output = "";
    this.process = spawn(binaries[this.name], args, { cwd: this.folder, stdio, env: { ...process.env, NO_COLOR: "1", ...variables } });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (data) => (this.output += data));
    return createInterface(this.process.stdio[3] ?? this.process.stdout);
  }

  async listens(lines, pattern) {
    const ended = once(this.process, "exit").then(() => {
      throw new Error(`${this.name} exited`);
    });
    ended.catch(() => {}); // for stop()
    const found = new Promise((resolve) => {
      lines.on("line", (line) => {
        const port = pattern.exec(line)?.[1];
        if (port) resolve(Number(port));
      });
    });
    return within(Promise.race([found, ended]), `${this.name} listens`);
  }

  async stop() {
    await kill(this.process);
    await rm(this.folder, { recursive: true });
  }
}

/** Ends a process, and waits for its end. */
export async function kill(process) {
  if (process?.pid === undefined || process.exitCode !== null || process.signalCode !== null) return;
  process.kill("SIGKILL");
  await within(once(process, "exit"), `the end of ${process.spawnfile}`);
}

async function compatibilityDate() {
  const text = await readFile(path.join(root, "examples/wrangler.jsonc"), "utf8");
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, "")).compatibility_date;
}
