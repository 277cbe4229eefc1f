// A server for Node that forwards requests that proceed: bodies as streams, in both
// directions, and WebSockets. node.d.mts contains the types.

import http from "node:http";
import https from "node:https";
import { added, endToEnd, forUpstream, originOf, wantsWebSocket } from "./headers.mjs";

// Methods that may be repeated although the upstream may have executed the request
// (RFC 9110, section 9.2.2).
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

const UPGRADE = [["connection", "Upgrade"], ["upgrade", "websocket"]];

/** Returns a server that does not listen yet. */
export function createServer(edge, { upstream, tls }) {
  const proxy = new Proxy(edge, upstream);
  const server = tls ? https.createServer(tls) : http.createServer();
  server.on("request", (request, answer) => proxy.serve(request, answer));
  server.on("checkContinue", (request, answer) => proxy.serve(request, answer, { proceed: () => answer.writeContinue() }));
  server.on("upgrade", (request, socket, head) => {
    const answer = new http.ServerResponse(request);
    answer.shouldKeepAlive = false;
    answer.assignSocket(socket);
    answer.on("finish", () => socket.end());
    socket.on("error", () => socket.destroy());
    proxy.serve(request, answer, { socket, head });
  });
  server.on("close", () => proxy.agent.destroy());
  return server;
}

class Proxy {
  constructor(edge, upstream) {
    this.edge = edge;
    this.target = new URL(originOf(upstream));
    this.client = this.target.protocol === "https:" ? https : http;
    this.agent = new this.client.Agent({ keepAlive: true });
  }

  // serve answers a request. proceed tells the client to send a body that it holds
  // back (RFC 9110, section 10.1.1). socket and head belong to a connection that the
  // client asks to upgrade.
  async serve(request, answer, { proceed, socket, head } = {}) {
    const uri = pathOf(request.url);
    if (uri === undefined) return void write(answer, 400, "The target of the request is not a path.");
    // Node does not read it, so the upstream would read the next request on that
    // connection as the body (CWE-444).
    if (socket && hasBody(request)) return void write(answer, 400, "A request to upgrade has no body here.");
    const address = request.socket.remoteAddress ?? "";
    const exchange = await this.edge.decide({ method: request.method, uri, address, headers: pairs(request.rawHeaders) });
    if (answer.destroyed || socket?.destroyed) return;
    if (exchange.status) return void end(answer, exchange.status, exchange.answer, exchange.content());
    proceed?.();
    const webSocket = socket !== undefined && wantsWebSocket(exchange.headers);
    const headers = forUpstream(exchange.headers, {
      address, host: request.headers.host, scheme: request.socket.encrypted ? "https" : "http",
    });
    headers.push(["host", this.target.host], ...framing(request), ...(webSocket ? UPGRADE : []));
    this.forward({ request, answer, exchange, headers, webSocket, socket, head });
  }

  forward(call, again = false) {
    const { request, answer, exchange, headers, webSocket, socket, head } = call;
    let outgoing;
    try {
      outgoing = this.client.request(this.target, {
        agent: this.agent, method: exchange.method, path: exchange.uri, headers: headers.flat(),
      });
    } catch {
      return void write(answer, 400, "The request cannot be forwarded.");
    }
    outgoing.on("response", (response) => {
      try {
        answer.writeHead(response.statusCode, response.statusMessage, forClient(response, exchange).flat());
      } catch (error) { // Node reads this status but does not write it
        answer.statusMessage = undefined;
        return void outgoing.destroy(error);
      }
      answer.flushHeaders(); // the body may arrive much later
      response.pipe(answer);
      // A truncated answer must not look complete.
      response.on("aborted", () => answer.destroy());
    });
    outgoing.on("upgrade", (response, upstream, first) => {
      if (!webSocket) { // the client did not ask for it
        upstream.destroy();
        return void outgoing.emit("error", new Error("it switched protocols without a request"));
      }
      answer.detachSocket(socket);
      const lines = [...UPGRADE, ...forClient(response, exchange)].map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`, "latin1");
      join(socket, head, upstream, first);
    });
    outgoing.on("error", (error) => {
      if (answer.headersSent || answer.destroyed) return void answer.destroy();
      // The upstream closed an idle connection while the request was on its way. It
      // may have executed the request, too.
      if (outgoing.reusedSocket && error.code === "ECONNRESET" && !hasBody(request) && !again && IDEMPOTENT.has(exchange.method)) {
        return void this.forward(call, true);
      }
      this.edge.log("error", `the upstream cannot be reached: ${error.message}`);
      write(answer, 502, "The upstream cannot be reached.");
    });
    answer.on("close", () => outgoing.destroy());
    if (hasBody(request)) request.pipe(outgoing).flushHeaders();
    else outgoing.end();
  }
}

// pathOf returns the path and query of a request's target (RFC 9112, section 3.2).
function pathOf(target) {
  if (target.startsWith("/") || target === "*") return target;
  const absolute = /^https?:\/\/[^/?#]+/i.exec(target)?.[0];
  return absolute && (target.slice(absolute.length).replace(/^(?!\/)/, "/"));
}

// pairs returns headers as [name, value], names in lower case.
function pairs(raw) {
  const headers = [];
  for (let i = 0; i < raw.length; i += 2) headers.push([raw[i].toLowerCase(), raw[i + 1]]);
  return headers;
}

// framing returns the headers that delimit the body of a request, or none if it has
// no body.
function framing({ headers }) {
  if (headers["transfer-encoding"] !== undefined) return [["transfer-encoding", "chunked"]];
  return headers["content-length"] === undefined ? [] : [["content-length", headers["content-length"]]];
}

// hasBody reports whether a request has a body that is not empty.
function hasBody({ headers }) {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;
}

function forClient(response, exchange) {
  const headers = endToEnd(pairs(response.rawHeaders));
  return headers.concat(added(headers, exchange.answer));
}

function write(answer, status, detail) {
  end(answer, status, [["content-type", "application/json"], ["cache-control", "no-store"]], Buffer.from(JSON.stringify({ detail })));
}

function end(answer, status, headers, content) {
  const length = content ? ["content-length", String(content.length)] : [];
  answer.writeHead(status, headers.flat().concat(length)).end(content);
}

// join connects two sockets, beginning with the bytes that were read from each.
function join(client, fromClient, upstream, fromUpstream) {
  for (const [from, to, first] of [[client, upstream, fromClient], [upstream, client, fromUpstream]]) {
    if (first.length > 0) to.write(first);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.pipe(to);
  }
}
