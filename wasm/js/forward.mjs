// Forwarding with fetch, on Cloudflare Workers, Deno and Bun.

import { forUpstream, originOf, wantsWebSocket } from "./headers.mjs";

// Workers can forward a WebSocket. They have a cache, which must not be used: it
// does not distinguish users.
const isWorker = typeof WebSocketPair !== "undefined";
const EXTRAS = isWorker ? { cache: "no-store" } : { duplex: "half", decompress: false }; // the last for Bun

/** Returns path and query of a URL as the upstream will see them. */
export function pathOf(url) {
  const path = url.pathname + url.search;
  // Bun's fetch reduces several slashes at the beginning to one.
  return typeof Bun === "undefined" ? path : path.replace(/^\/+/, "/");
}

/**
 * Changes the values of headers to have a character for each byte, and returns the
 * headers. Workers decode UTF-8 and replace invalid bytes by U+FFFD, which becomes 0xff, a
 * byte that is not valid in UTF-8.
 */
export function inBytes(headers) {
  return change(headers, (value) => unescape(encodeURIComponent(value)).replaceAll("\xef\xbf\xbd", "\xff"));
}

// inText undoes inBytes.
function inText(headers) {
  return change(headers, (value) => new TextDecoder().decode(Uint8Array.from(value, (byte) => byte.charCodeAt(0))));
}

// change changes the values that are not ASCII on Workers.
function change(headers, convert) {
  if (!isWorker) return headers;
  for (const header of headers) if (/[^\0-\x7f]/.test(header[1])) header[1] = convert(header[1]);
  return headers;
}

/**
 * Returns a function that forwards a request to an upstream: the URL of a server,
 * without a path, or a function that takes a Request and returns a promise of a
 * Response.
 */
export function forward(upstream, fetch) {
  const origin = typeof upstream === "string" ? originOf(upstream) : undefined;
  const send = origin === undefined ? (target, init) => upstream(new Request(target, init)) : fetch;
  return async (request, url, exchange, address) => {
    const webSocket = wantsWebSocket(exchange.headers);
    if (webSocket && !isWorker) return json(501, "WebSockets are not supported here.");
    const headers = forUpstream(exchange.headers, { address, host: url.host, scheme: url.protocol.slice(0, -1) });
    if (webSocket) headers.push(["upgrade", "websocket"]);
    // If a request names the codings that it accepts, fetch does not unpack the answer.
    if (!headers.some(([name]) => name === "accept-encoding")) headers.push(["accept-encoding", "identity"]);
    // new URL(path, origin) would read //host as another server.
    const target = (origin ?? url.origin) + exchange.uri;
    const answer = await send(target, {
      method: exchange.method, headers: asObject(inText(headers)), body: request.body, redirect: "manual", ...EXTRAS,
    });
    return handBack(answer, exchange);
  };
}

// asObject returns headers in the form that workerd reads four times as fast as pairs, if
// they fit it: no name twice.
function asObject(headers) {
  const object = Object.fromEntries(headers);
  return Object.keys(object).length === headers.length ? object : headers;
}

// handBack returns the upstream's answer for the client, with the guest's headers as added
// does. To copy an answer as a whole is much cheaper than header by header.
function handBack(answer, exchange) {
  if (answer.webSocket || exchange.answer.length === 0) return answer;
  const copy = new Response(answer.body, answer);
  for (const [name, value] of exchange.answer) {
    if (name === "vary" || !answer.headers.has(name)) copy.headers.append(name, value);
  }
  return copy;
}

/** Returns an error response in the form of the API. */
export function json(status, detail) {
  const headers = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  return new Response(JSON.stringify({ detail }), { status, headers });
}
