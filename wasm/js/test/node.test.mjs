// What node.mjs does with peers that break the rules of HTTP. The edge lets
// everything go on: this is about the server around it.

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

// Node reads no body of a request that would like to upgrade. If its length were
// forwarded all the same, the upstream would take the next request on that
// connection, which is somebody else's, for the body (CWE-444).
test("a request that would like to upgrade has no body", { timeout: 30_000 }, async () => {
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

// Whatever an upstream sends, the process goes on for everybody else (CWE-248).
test("an upstream that talks nonsense is 502", { timeout: 30_000 }, async () => {
  let nonsense;
  const upstream = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(nonsense, "latin1"));
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  try {
    await between(`http://127.0.0.1:${upstream.address().port}`, async (port) => {
      for (nonsense of [
        "HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      ]) {
        const answer = await call(`http://127.0.0.1:${port}/`);
        assert.deepEqual([answer.status, answer.body], [502, '{"detail":"The upstream cannot be reached."}'], nonsense);
      }
    });
  } finally {
    upstream.close();
  }
});
