// Compiled and never run, to check the declarations.

import { Edge, type Exchange, type Options } from "../edge.mjs";

declare const module: WebAssembly.Module;

const options: Options = {
  module,
  config: { issuer: "edgeauth", public: ["/health"], require: [{ field: "email_domain", values: ["example.com"] }] },
  keysURL: "https://api.example.com/v1/auth/.well-known/jwks.json",
  revocationsURL: "https://api.example.com/v1/auth/revocations/",
  upstream: async (request) => new Response(request.url),
  log: (level, message) => console.log(level, message),
};
const edge = new Edge(options);

export const answer: Promise<Response> = edge.fetch(new Request("https://app.example.com/"), { address: "192.0.2.1", later: () => {} });
export const exchange: Promise<Exchange> = edge.decide({ method: "GET", uri: "/", headers: [["authorization", "Token x"]] });

// @ts-expect-error: the module is required
new Edge({ config: {} });
// @ts-expect-error: the name is wrong
new Edge({ ...options, keysUrl: "https://api.example.com" });
