// An upstream for tests, and a client that observes the order of events.

import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";

/** The time after which a wait of a test fails, in milliseconds; none depends on it to pass. */
export const LIMIT = 60_000;

/** Returns what a promise resolves to. It fails after LIMIT with what was awaited. */
export async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => void (timer = setTimeout(() => reject(new Error(`timeout: ${what}`)), LIMIT)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Starts a server that a function answers; it has url and stop(). It does not close idle
 * connections: a client that uses one at that moment would get no answer.
 */
export async function serve(answer) {
  const server = http.createServer({ keepAliveTimeout: 0 }, answer);
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

/** Sends a request and returns it; headers is an object. It fails after LIMIT without data. */
export function open(url, { method = "GET", headers = {}, path } = {}) {
  const target = new URL(url);
  const request = http.request({
    host: target.hostname, port: target.port, path: path ?? target.pathname + target.search, method, headers, agent: false,
  });
  request.setTimeout(LIMIT, () => request.destroy(new Error(`timeout: data of ${method} ${url}`)));
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
  for (const end = Date.now() + LIMIT; !(await within(condition(), what)); ) {
    if (Date.now() > end) throw new Error(`timeout: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
