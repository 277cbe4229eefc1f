// The gate on Bun, in front of an application on the same machine:
//
//	ISSUER=edgeauth AUTH_URL=https://api.example.com/v1/auth UPSTREAM=http://127.0.0.1:8080 bun bun.mjs

import { Edge } from "./edge.mjs";

const { ISSUER, AUTH_URL, UPSTREAM, PORT = "3000" } = Bun.env;

const edge = new Edge({
  module: await WebAssembly.compile(await Bun.file(new URL("edgeauth-gate.wasm", import.meta.url)).arrayBuffer()),
  config: { issuer: ISSUER },
  keysURL: `${AUTH_URL}/.well-known/jwks.json`,
  revocationsURL: `${AUTH_URL}/revocations/`,
  upstream: UPSTREAM,
});

const server = Bun.serve({
  port: Number(PORT),
  idleTimeout: 0, // answers may take long
  fetch: (request, server) => edge.fetch(request, { address: server.requestIP(request)?.address ?? "" }),
});
console.log(`listening on port ${server.port}`);
