// Forwarding, with the example of each host.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { faulty } from "./faulty.mjs";
import { Host, missing, names } from "./hosts.mjs";
import { Issuer, NAME } from "./issuer.mjs";
import { echo, handshake, message } from "./websocket.mjs";
import { call, deferred, digest, open, serve, text, until, within } from "./upstream.mjs";

const MB = 1 << 20;

for (const name of names) {
  test(`forwarding in ${name}`, { skip: missing(name), timeout: 300_000 }, async (t) => {
    const issuer = await Issuer.start();
    t.after(() => issuer.close());
    let handler;
    const upstream = await serve((request, answer) => handler(request, answer));
    t.after(() => upstream.stop());
    const host = await Host.start(name, { variables: { ISSUER: NAME, AUTH_URL: issuer.url, UPSTREAM: upstream.url } });
    t.after(() => host.stop());
    const authorization = `Token ${issuer.token()}`;
    const get = (path, headers) => call(host.url + path, { headers: { authorization, ...headers } });
    // step is a test during which a function is the upstream.
    const step = (what, answer, check) =>
      t.test(what, async () => {
        handler = answer;
        await check();
      });
    const reflect = (request, answer) => answer.end(JSON.stringify([request.method, request.url, request.headers]));

    await step("a request with a token proceeds", reflect, async () => {
      const answer = await get("/a%20b//c?x=1&y=%2f", { "X-Auth-User-Id": "eve", X_AUTH_USER_ID: "eve", "X-Auth-Session-Id": "eve" });
      const [method, url, headers] = JSON.parse(answer.body);
      assert.deepEqual([answer.status, method, url], [200, "GET", "/a%20b//c?x=1&y=%2f"]);
      assert.equal(headers["x-auth-user-id"], "user-1");
      assert.equal(headers["x-auth-email"], "ada@example.com");
      for (const gone of ["authorization", "x_auth_user_id", "x-auth-session-id"]) assert.equal(headers[gone], undefined, gone);
    });

    await step("a request without a token does not", () => assert.fail("it proceeded"), async () => {
      const answer = await call(host.url);
      assert.deepEqual([answer.status, answer.body], [401, '{"detail":"Authentication credentials were not provided."}']);
      assert.equal(answer.headers["www-authenticate"], "Token");
    });

    await step("hop-by-hop headers are not forwarded", reflect, async () => {
      const answer = await get("/", {
        Connection: "keep-alive, X-Hop, X-Auth-User-Id", "X-Hop": "1", TE: "trailers", "Keep-Alive": "timeout=9", "Proxy-Authorization": "x",
      });
      const headers = JSON.parse(answer.body)[2];
      for (const gone of ["x-hop", "te", "keep-alive", "proxy-authorization"]) assert.equal(headers[gone], undefined, gone);
      assert.equal(headers["x-auth-user-id"], "user-1");
    });

    // The client must not choose its own address (CWE-348).
    await step("the client does not choose its address", reflect, async () => {
      const answer = await get("/", {
        "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https",
        Forwarded: "for=192.0.2.1", "X-Real-IP": "192.0.2.1", "CF-Connecting-IP": name === "workerd" ? "198.51.100.7" : "192.0.2.1",
      });
      const headers = JSON.parse(answer.body)[2];
      assert.equal(headers["x-forwarded-for"], name === "workerd" ? "198.51.100.7" : "127.0.0.1");
      assert.equal(headers["x-forwarded-host"], new URL(host.url).host);
      assert.equal(headers["x-forwarded-proto"], "http");
      assert.equal(headers.host, new URL(upstream.url).host);
      for (const gone of ["forwarded", "x-real-ip"]) assert.equal(headers[gone], undefined, gone);
    });

    // A path that looks like another server is a path of the upstream (CWE-918).
    await step("no path leads to another server", reflect, async () => {
      for (const path of ["//evil.example/x", "/@evil.example/x", "//evil.example:80", "/.evil.example"]) {
        // Bun sends one slash instead of two, and the gate decides about that path.
        assert.equal(JSON.parse((await get(path)).body)[1], name === "bun" ? path.replace("//", "/") : path);
      }
    });

    await step("answers arrive unchanged", (request, answer) => {
      const [status, headers, body] = {
        "/redirect": [302, { Location: "https://elsewhere.example/", "Set-Cookie": ["a=1", "b=2"] }, ""],
        "/packed": [200, { "Content-Encoding": "gzip", "Content-Type": "text/plain" }, gzipSync("packed".repeat(1000))],
        "/none": [204, {}, ""],
        "/same": [304, { ETag: '"1"' }, ""],
        "/broken": [500, { "X-Why": "because" }, "broken"],
      }[request.url];
      answer.writeHead(status, headers).end(body);
    }, async () => {
      const redirect = await get("/redirect");
      assert.deepEqual([redirect.status, redirect.headers.location], [302, "https://elsewhere.example/"]);
      assert.deepEqual(redirect.headers["set-cookie"], ["a=1", "b=2"]);
      const packed = await fetch(`${host.url}/packed`, { headers: { authorization } });
      assert.equal(await packed.text(), "packed".repeat(1000));
      assert.equal((await get("/none")).status, 204);
      const same = await get("/same", { "If-None-Match": '"1"' });
      assert.deepEqual([same.status, same.headers.etag, same.body], [304, '"1"', ""]);
      const broken = await get("/broken");
      assert.deepEqual([broken.status, broken.headers["x-why"], broken.body], [500, "because", "broken"]);
      const head = await call(`${host.url}/broken`, { method: "HEAD", headers: { authorization } });
      assert.deepEqual([head.status, head.body], [500, ""]);
    });

    const large = randomBytes(20 * MB);
    await step("20 MB go both ways", async (request, answer) => {
      answer.setHeader("X-Received", await digest(request));
      answer.setHeader("Content-Length", large.length);
      answer.end(large);
    }, async () => {
      const request = open(host.url, { method: "POST", headers: { authorization, "Content-Length": large.length } });
      request.end(large);
      const [answer] = await once(request, "response");
      const sent = await digest([large]);
      assert.equal(answer.headers["x-received"], sent);
      assert.equal(await digest(answer), sent);
    });

    const first = deferred();
    await step("a body is forwarded while it arrives", async (request, answer) => {
      const parts = request[Symbol.asyncIterator]();
      let seen = String((await parts.next()).value);
      first.resolve();
      for await (const part of parts) seen += part;
      answer.end(seen);
    }, async () => {
      const request = open(host.url, { method: "PUT", headers: { authorization, "Transfer-Encoding": "chunked" } });
      request.write("one");
      await within(first.promise, "the beginning of the body at the upstream");
      request.end("two");
      const [answer] = await once(request, "response");
      assert.equal(await text(answer), "onetwo");
    });

    let events;
    await step("events arrive one by one", (_request, answer) => {
      answer.writeHead(200, { "Content-Type": "text/event-stream" });
      answer.flushHeaders();
      events = answer;
    }, async () => {
      const request = open(host.url, { headers: { authorization } });
      request.end();
      // Bun sends the head of an answer with the beginning of the body.
      if (name === "bun") await until(() => events?.write(": begin\n\n"), "the request for events at the upstream");
      const [answer] = await once(request, "response");
      if (name === "bun") await once(answer, "data");
      for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
        events.write(event);
        assert.equal(String((await once(answer, "data"))[0]), event);
      }
      request.destroy();
      // The upstream notices the disconnection at the next event at the latest.
      await until(() => events.destroyed || (events.write(": continued\n\n"), false), "the upstream's connection ends");
    });

    const waiting = [];
    await step("200 requests are in flight simultaneously", (_request, answer) => {
      waiting.push(answer);
      if (waiting.length === 200) waiting.forEach((answer, i) => answer.end(String(i)));
    }, async () => {
      const answers = await Promise.all(Array.from({ length: 200 }, () => get("/")));
      assert.equal(new Set(answers.map(({ body }) => body)).size, 200);
      assert.ok(answers.every(({ status }) => status === 200));
    });

    // A truncated answer must not look complete (CWE-354).
    let begun;
    await step("a truncated answer is recognized", (_request, answer) => {
      answer.writeHead(200, { "Content-Length": "1000" }).write("ten bytes.");
      begun = answer;
    }, async () => {
      const request = open(host.url, { headers: { authorization } });
      request.end();
      const [answer] = await once(request, "response");
      begun.destroy(); // the client has the beginning
      await assert.rejects(text(answer), /aborted|ECONNRESET|socket hang up/);
    });

    await step("a body without a token is not forwarded", () => assert.fail("it proceeded"), async () => {
      const answer = await call(host.url, { method: "POST", body: randomBytes(MB) });
      assert.equal(answer.status, 401);
    });

    await step("an upstream that closes the connection is 502", (request) => request.socket.destroy(), async () => {
      const answer = await call(host.url, { method: "POST", headers: { authorization }, body: "x" });
      assert.deepEqual([answer.status, answer.body], [502, '{"detail":"The upstream cannot be reached."}']);
      handler = reflect;
      assert.equal((await get("/")).status, 200);
    });

    await t.test("WebSockets", async () => {
      upstream.on("upgrade", (request, socket) => {
        assert.equal(request.headers["x-auth-user-id"], "user-1");
        echo(request, socket);
      });
      const refused = await call(host.url, { headers: handshake() });
      assert.equal(refused.status, 401);
      if (name === "deno" || name === "bun") {
        assert.equal((await get("/", handshake())).status, 501);
        return;
      }
      const request = open(host.url, { headers: { authorization, ...handshake() } });
      request.end();
      const [, socket] = await once(request, "upgrade");
      socket.write(message("hello"));
      assert.equal(String((await once(socket, "data"))[0].subarray(2)), "hello");
      socket.destroy();
    });
  });
}

for (const name of names) {
  test(`an issuer and a guest that fail in ${name}`, { skip: missing(name), timeout: 300_000 }, async (t) => {
    const issuer = await Issuer.start();
    t.after(() => issuer.close());
    issuer.down = true;
    const upstream = await serve((_request, answer) => answer.end());
    t.after(() => upstream.stop());
    const variables = { ISSUER: NAME, AUTH_URL: issuer.url, UPSTREAM: upstream.url };
    const host = await Host.start(name, { variables, guest: faulty("unreachable") });
    t.after(() => host.stop());
    const ask = async () => (await call(host.url)).status;
    assert.equal(await ask(), 503);
    issuer.down = false;
    await until(async () => (await ask()) === 200, "the issuer is used");
    // This guest lets each first request proceed and fails at each second one.
    assert.deepEqual([await ask(), await ask(), await ask()], [503, 200, 503]);
  });
}
