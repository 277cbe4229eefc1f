// Forwarding with fetch, on Cloudflare Workers, Deno and Bun.

import { added, forUpstream, originOf, wantsWebSocket } from "./headers.mjs";

// Workers can hand a WebSocket on, and have a cache, which would not know for whom
// an answer is.
const isWorker = typeof WebSocketPair !== "undefined";
const EXTRAS = isWorker ? { cache: "no-store" } : { duplex: "half" };

/** Returns path and query of a URL as an upstream is going to see them. */
export function pathOf(url) {
  const path = url.pathname + url.search;
  // The fetch of Bun makes one slash of several at the beginning.
  return typeof Bun === "undefined" ? path : path.replace(/^\/+/, "/");
}

/**
 * Returns the value of a header with a character for each byte. Workers read
 * UTF-8, and put U+FFFD where there is none; a byte that UTF-8 has not stands for
 * it.
 */
export function bytesOf(value) {
  if (!isWorker || !/[^\0-\x7f]/.test(value)) return value;
  return unescape(encodeURIComponent(value)).replaceAll("\xef\xbf\xbd", "\xff");
}

// textOf undoes bytesOf.
function textOf(value) {
  if (!isWorker || !/[^\0-\x7f]/.test(value)) return value;
  return new TextDecoder().decode(Uint8Array.from(value, (byte) => byte.charCodeAt(0)));
}

/**
 * Returns what forwards a request to an upstream: the URL of a server, without a
 * path, or a function that takes a Request and returns a promise of a Response.
 */
export function forward(upstream, fetch) {
  const origin = typeof upstream === "string" ? originOf(upstream) : undefined;
  const send = origin === undefined ? upstream : fetch;
  return async (request, url, exchange, address) => {
    const webSocket = wantsWebSocket(exchange.headers);
    if (webSocket && !isWorker) return json(501, "There are no WebSockets here.");
    const headers = forUpstream(exchange.headers, { address, host: url.host, scheme: url.protocol.slice(0, -1) });
    if (webSocket) headers.push(["upgrade", "websocket"]);
    // Where a client says which codings it takes, fetch does not unpack the answer.
    if (!headers.some(([name]) => name === "accept-encoding")) headers.push(["accept-encoding", "identity"]);
    // Not by new URL(path, origin), which takes //host for another server.
    const target = (origin ?? url.origin) + exchange.uri;
    const answer = await send(new Request(target, {
      method: exchange.method, headers: headers.map(([name, value]) => [name, textOf(value)]), body: request.body, redirect: "manual", ...EXTRAS,
    }), { decompress: false }); // so does Bun, when it is told
    return handBack(answer, exchange);
  };
}

// handBack makes the upstream's answer the client's.
function handBack(answer, exchange) {
  if (answer.webSocket) return answer;
  if (exchange.answer.length === 0) return answer;
  const headers = new Headers(answer.headers);
  for (const [name, value] of added([...answer.headers], exchange.answer)) headers.append(name, value);
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
}

/** Answers as the API does when something fails. */
export function json(status, detail) {
  const headers = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  return new Response(JSON.stringify({ detail }), { status, headers });
}
