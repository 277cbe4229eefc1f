// The gate as a Cloudflare Worker in front of an application elsewhere. Deploy it
// with `wrangler deploy`, which reads wrangler.jsonc in the same directory.

import { env } from "cloudflare:workers";
import gate from "./edgeauth-gate.wasm";
import { Edge } from "./edge.mjs";

// Made when the Worker starts, not for each request.
const edge = new Edge({
  module: gate,
  config: { issuer: env.ISSUER },
  keysURL: `${env.AUTH_URL}/.well-known/jwks.json`,
  revocationsURL: `${env.AUTH_URL}/revocations/`,
  upstream: env.UPSTREAM,
});

export default {
  fetch(request, _env, context) {
    return edge.fetch(request, {
      address: request.headers.get("CF-Connecting-IP") ?? "",
      later: (work) => context.waitUntil(work),
    });
  },
};
