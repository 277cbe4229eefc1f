// The npm package as its users get it.

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { guestFile } from "./hosts.mjs";
import { LIMIT } from "./upstream.mjs";

// Runs a program; its error contains the command.
const run = (program, args, options) => promisify(execFile)(program, args, { timeout: LIMIT, killSignal: "SIGKILL", ...options });
const root = fileURLToPath(new URL("..", import.meta.url));

/** The package.json of the package. */
export const described = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));

const readme = await readFile(path.join(root, "README.md"), "utf8");

/** Returns the first block in a language below a heading of the README. */
export function shown(heading, language) {
  const section = readme.split(`\n## ${heading}\n`)[1];
  return section.split(`\`\`\`${language}\n`)[1].split("```")[0];
}

/**
 * Packs a copy of the package with the guest under test, and installs it in the project of
 * a user. Returns the folder of the project and the names of the files in the package.
 */
export async function install() {
  const folder = await mkdtemp(path.join(tmpdir(), "edgeauth-package-"));
  const source = path.join(folder, "source");
  const project = path.join(folder, "project");
  await Promise.all([mkdir(source), mkdir(project)]);
  for (const name of [...described.files, "README.md", "package.json"]) {
    await cp(name === "edgeauth-gate.wasm" ? guestFile : path.join(root, name), path.join(source, name));
  }
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--no-update-notifier", "--pack-destination", folder], { cwd: source });
  const [packed] = JSON.parse(stdout);
  await writeFile(path.join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--no-update-notifier", path.join(folder, packed.filename)], { cwd: project });
  return { folder, project, names: packed.files.map((file) => file.path).sort() };
}
