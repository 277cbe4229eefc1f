// The gate on Node, in front of an application on the same machine:
//
//	ISSUER=edgeauth AUTH_URL=https://api.example.com/v1/auth UPSTREAM=http://127.0.0.1:8080 node server.mjs

import { readFile } from "node:fs/promises";
import { Edge } from "./edge.mjs";
import { createServer } from "./node.mjs";

const { ISSUER, AUTH_URL, UPSTREAM, PORT = "3000" } = process.env;

const edge = new Edge({
  module: await WebAssembly.compile(await readFile(new URL("edgeauth-gate.wasm", import.meta.url))),
  config: { issuer: ISSUER },
  keysURL: `${AUTH_URL}/.well-known/jwks.json`,
  revocationsURL: `${AUTH_URL}/revocations/`,
});

const server = createServer(edge, { upstream: UPSTREAM });
server.listen(Number(PORT), () => console.log(`listening on port ${server.address().port}`));
