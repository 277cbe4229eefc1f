// Changes that a proxy makes to the headers of requests and answers. Headers are
// arrays of [name, value] with names in lower case.

// Headers for the next hop only (RFC 9110, section 7.6.1).
const HOP_BY_HOP = new Set([
  "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
  "transfer-encoding", "upgrade",
]);

// Headers of the request to the upstream that the proxy sets itself, and those by which
// clients could claim another address or host.
const REPLACED = new Set([
  ...HOP_BY_HOP, "host", "content-length", "expect",
  "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
]);

/**
 * Returns headers without those for one hop, including those in Connection. dropped are
 * the names of all others to leave out.
 */
export function endToEnd(headers, dropped = HOP_BY_HOP) {
  let listed;
  for (const [name, value] of headers) {
    if (name !== "connection") continue;
    listed ??= new Set();
    for (const option of value.split(",")) listed.add(option.trim().toLowerCase());
  }
  return headers.filter(([name]) => !dropped.has(name) && !listed?.has(name));
}

/**
 * Returns the headers of a request for the upstream, without Host. The client's
 * claims about its route are replaced by address (an IP address, may be missing),
 * host and scheme.
 */
export function forUpstream(headers, { address, host, scheme }) {
  const kept = endToEnd(headers, REPLACED);
  if (address) kept.push(["x-forwarded-for", address.replace(/^::ffff:(?=[\d.]+$)/, "")]); // IPv4 at a dual-stack socket
  if (host) kept.push(["x-forwarded-host", host]);
  kept.push(["x-forwarded-proto", scheme]);
  return kept;
}

/**
 * Returns the headers of the guest to add to an upstream's answer: those that the
 * upstream has not set itself, and Vary, which is a list.
 */
export function added(headers, guests) {
  return guests.filter(([name]) => name === "vary" || !headers.some((header) => header[0] === name));
}

/** Reports whether a client asks for a WebSocket (RFC 6455, section 4.1). */
export function wantsWebSocket(headers) {
  return headers.some(([name, value]) => name === "upgrade" && value.toLowerCase() === "websocket");
}

/** Returns the origin of an upstream, or throws if the URL has more than that. */
export function originOf(upstream) {
  const url = new URL(upstream);
  if (!/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search || url.hash || url.username) {
    throw new TypeError(`edgeauth: upstream ${upstream} must be http:// or https:// and a host, without a path`);
  }
  return url.origin;
}
