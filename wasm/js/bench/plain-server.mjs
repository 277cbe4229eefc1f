// The baseline on Node, Deno and Bun: the same server without a gate; with FLOOR, the
// server of floor.mjs on Deno and Bun.

const { FLOOR, UPSTREAM } = process.env;

const forward = FLOOR ? (await import("./floor.mjs")).unguarded(UPSTREAM) : unchanged;

function unchanged(request) {
  const url = new URL(request.url);
  return fetch(UPSTREAM + url.pathname + url.search, { method: request.method, headers: request.headers, body: request.body, redirect: "manual" });
}

if (globalThis.Deno) {
  Deno.serve({ port: 0, onListen: ({ port }) => console.log(`listening on port ${port}`) }, (request, { remoteAddr }) => forward(request, remoteAddr.hostname));
} else if (globalThis.Bun) {
  console.log(`listening on port ${Bun.serve({ port: 0, fetch: (request, server) => forward(request, FLOOR && server.requestIP(request)?.address) }).port}`);
} else {
  const { createServer } = await import("./node.mjs");
  const open = { log: console.error, decide: async (head) => ({ status: 0, answer: [], method: head.method, uri: head.uri, headers: head.headers }) };
  const server = createServer(open, { upstream: UPSTREAM }).listen(0, () => console.log(`listening on port ${server.address().port}`));
}
