// The floor of the hosts with fetch: hop-by-hop headers are removed and X-Forwarded-* are
// set, as any proxy has to, but nothing is verified.

import { forward, inBytes, pathOf } from "./forward.mjs";

/** Returns a function that forwards a request to an upstream. */
export function unguarded(upstream) {
  const send = forward(upstream, fetch);
  return (request, address) => {
    const url = new URL(request.url);
    const exchange = { method: request.method, uri: pathOf(url), headers: inBytes([...request.headers]), answer: [] };
    return send(request, url, exchange, address);
  };
}
