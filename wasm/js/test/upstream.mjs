// An upstream for tests, and a client that observes the order of events.

import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";

/** Starts a server that a function answers; it has url and stop(). */
export async function serve(answer) {
  const server = http.createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(server, {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  });
}

/** Sends a request and returns it; headers is an object. */
export function open(url, { method = "GET", headers = {}, path } = {}) {
  const target = new URL(url);
  const request = http.request({
    host: target.hostname, port: target.port, path: path ?? target.pathname + target.search, method, headers, agent: false,
  });
  request.on("error", () => {}); // a caller that waits for an answer gets it, too
  return request;
}

/** Sends a request with a body and returns the answer, read to its end. */
export async function call(url, { body, ...options } = {}) {
  const request = open(url, options);
  request.end(body);
  const [answer] = await once(request, "response");
  return { status: answer.statusCode, headers: answer.headers, raw: answer.rawHeaders, body: await text(answer) };
}

export async function text(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Reads a stream to its end and returns its length and hash. */
export async function digest(stream) {
  const hash = createHash("sha256");
  let length = 0;
  for await (const part of stream) {
    length += part.length;
    hash.update(part);
  }
  return `${length} ${hash.digest("hex")}`;
}

/** Returns a promise and the function that resolves it. */
export function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

/** Waits until a condition is true. */
export async function until(condition, what = String(condition)) {
  for (const end = Date.now() + 30_000; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`timeout: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
