// The gate on Deno, in front of an application on the same machine:
//
//	ISSUER=edgeauth AUTH_URL=https://api.example.com/v1/auth UPSTREAM=http://127.0.0.1:8080 \
//	deno run --allow-net --allow-env --allow-read=. deno.mjs

import { Edge } from "./edge.mjs";

const { ISSUER, AUTH_URL, UPSTREAM, PORT = "3000" } = Deno.env.toObject();

const edge = new Edge({
  module: await WebAssembly.compile(await Deno.readFile(new URL("edgeauth-gate.wasm", import.meta.url))),
  config: { issuer: ISSUER },
  keysURL: `${AUTH_URL}/.well-known/jwks.json`,
  revocationsURL: `${AUTH_URL}/revocations/`,
  upstream: UPSTREAM,
});

Deno.serve(
  { port: Number(PORT), onListen: ({ port }) => console.log(`listening on port ${port}`) },
  (request, { remoteAddr }) => edge.fetch(request, { address: remoteAddr.hostname }),
);
