// Serves the sites of the table on Node, Deno and Bun.

import { readFile } from "node:fs/promises";
import { sitesOf } from "./table-sites.mjs";

const { UPSTREAM } = process.env;
const module = await WebAssembly.compile(await readFile(new URL("edgeauth-gate.wasm", import.meta.url)));
const site = sitesOf(await readFile(new URL("sites.json", import.meta.url), "utf8"), module, UPSTREAM);
const handle = (request) => site(request.headers.get("host")).fetch(request);

if (globalThis.Deno) {
  Deno.serve({ port: 0, onListen: ({ port }) => console.log(`listening on port ${port}`) }, handle);
} else if (globalThis.Bun) {
  console.log(`listening on port ${Bun.serve({ port: 0, fetch: handle }).port}`);
} else {
  const { createServer } = await import("./node.mjs");
  const edge = { log: console.error, decide: (head) => site(head.headers.find(([name]) => name === "host")[1]).decide(head) };
  const server = createServer(edge, { upstream: UPSTREAM }).listen(0, () => console.log(`listening on port ${server.address().port}`));
}
