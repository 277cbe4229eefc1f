// Behavior of node.mjs with peers that violate HTTP. The edge lets every request
// proceed: the tests concern the server around it.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import test from "node:test";
import { createServer } from "../node.mjs";
import { exchange } from "./raw.mjs";
import { call, serve } from "./upstream.mjs";

const edge = {
  log: () => {},
  decide: async ({ method, uri, headers }) => ({ status: 0, method, uri, headers, answer: [] }),
};

// between runs a function with the port of a server in front of an upstream.
async function between(upstream, run) {
  const server = createServer(edge, { upstream });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await run(server.address().port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

// Node reads no body of a request that asks to upgrade. If its length were forwarded,
// the upstream would read the next request on that connection, of another client, as
// the body (CWE-444).
test("a request that asks to upgrade has no body", { timeout: 300_000 }, async () => {
  const upstream = await serve((request, answer) => answer.end(request.url));
  try {
    await between(upstream.url, async (port) => {
      for (const protocol of ["h2c", "websocket"]) {
        for (const framing of ["Content-Length: 90", "Transfer-Encoding: chunked"]) {
          const attack = await exchange(port, `POST /attack HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${framing}\r\n\r\n`);
          const next = await call(`http://127.0.0.1:${port}/next`);
          assert.deepEqual([attack.status, next.status, next.body], [400, 200, "/next"], `${protocol}, ${framing}`);
        }
        const plain = await exchange(port, `POST /none HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nContent-Length: 0\r\n\r\n`);
        assert.deepEqual([plain.status, plain.body], [200, "/none"]);
      }
    });
  } finally {
    await upstream.stop();
  }
});

// An invalid answer does not end the process, which serves other clients (CWE-248).
test("an invalid answer of the upstream is 502", { timeout: 300_000 }, async () => {
  let invalid;
  const upstream = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(invalid, "latin1"));
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  try {
    await between(`http://127.0.0.1:${upstream.address().port}`, async (port) => {
      for (invalid of [
        "HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      ]) {
        const answer = await call(`http://127.0.0.1:${port}/`);
        assert.deepEqual([answer.status, answer.body], [502, '{"detail":"The upstream cannot be reached."}'], invalid);
      }
    });
  } finally {
    upstream.close();
  }
});

// An upstream executes a request and resets the connection, which was open already.
// Only requests that may be executed twice are sent again (RFC 9110, section 9.2.2).
test("only idempotent requests are repeated on a reset connection", { timeout: 300_000 }, async () => {
  const executed = new Map();
  const upstream = net.createServer((socket) => {
    let requests = 0;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const [method] = String(data).split(" ");
      executed.set(method, (executed.get(method) ?? 0) + 1);
      if (++requests > 1) return void socket.resetAndDestroy();
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (method === "HEAD" ? "" : "ok"));
    });
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  try {
    for (const [method, status, executions] of [
      ["GET", 200, 2], ["HEAD", 200, 2], ["PUT", 200, 2], ["DELETE", 200, 2], ["OPTIONS", 200, 2],
      ["POST", 502, 1], ["PATCH", 502, 1], ["PROPPATCH", 502, 1],
    ]) {
      await between(`http://127.0.0.1:${upstream.address().port}`, async (port) => {
        assert.equal((await call(`http://127.0.0.1:${port}/`, { method: "SEARCH" })).status, 200); // opens a connection
        executed.clear();
        const answer = await call(`http://127.0.0.1:${port}/`, { method });
        assert.deepEqual([answer.status, executed.get(method)], [status, executions], method);
      });
    }
  } finally {
    upstream.close();
  }
});
