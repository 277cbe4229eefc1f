// Keys and revocations, and failures, without a network: tests control the time and
// the answers of the issuer.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { Edge } from "../edge.mjs";
import { guestFile } from "./hosts.mjs";
import { Issuer, NAME } from "./issuer.mjs";
import { faulty } from "./faulty.mjs";

const module = await WebAssembly.compile(await readFile(guestFile));
const BASE = Date.now();

// world returns an issuer, a clock and an edge, which asks the issuer by fetch.
function world(options = {}) {
  const w = { issuer: new Issuer(), now: BASE, logs: [], asked: { keys: 0, feed: 0 }, since: [], work: [], fault: undefined };
  w.issuer.clock = () => w.now;
  const fetch = async (address, { headers, signal }) => {
    const url = new URL(address);
    const what = url.pathname === "/keys" ? "keys" : "feed";
    w.asked[what]++;
    const fault = await w.fault?.(what, signal);
    if (fault) return fault;
    if (what === "feed") {
      const since = url.searchParams.get("since");
      w.since.push(since);
      assert.equal(headers["Accept-Encoding"], "gzip");
      return new Response(gzipSync(w.issuer.feed(since)));
    }
    const text = w.issuer.keySet();
    const etag = `"${text.length}"`;
    if (headers["If-None-Match"] === etag) return new Response(null, { status: 304 });
    return new Response(text, { headers: { ETag: etag } });
  };
  w.edge = new Edge({
    module, fetch, config: { issuer: NAME }, keysURL: "https://issuer.test/keys", revocationsURL: "https://issuer.test/feed",
    now: () => w.now, log: (level, message) => w.logs.push(`${level}: ${message}`), ...options,
  });
  w.ask = async (token = w.issuer.token()) => {
    const head = { method: "GET", uri: "/", headers: [["authorization", `Token ${token}`]] };
    const { status } = await w.edge.decide(head, (work) => w.work.push(work));
    return status || 200;
  };
  w.settle = () => Promise.all(w.work.splice(0)); // waits for the fetches that were started
  w.after = (seconds) => void (w.now += seconds * 1000);
  return w;
}

// timers replaces the timers of the edge during a test. It returns a function that runs those
// that are waiting.
function timers(t) {
  const { setTimeout, clearTimeout } = globalThis, waiting = new Set();
  globalThis.setTimeout = (run, delay, ...rest) => {
    if (!delay) return setTimeout(run, delay, ...rest);
    const timer = { run };
    waiting.add(timer);
    return timer;
  };
  globalThis.clearTimeout = (timer) => void (waiting.delete(timer) || clearTimeout(timer));
  t.after(() => Object.assign(globalThis, { setTimeout, clearTimeout }));
  return () => {
    for (const timer of waiting) {
      waiting.delete(timer);
      timer.run();
    }
  };
}

// answered returns the status of a request, which needs the timers.
async function answered(request, expire) {
  let status;
  request.then((got) => void (status = got));
  for (let i = 0; i < 100; i++) await new Promise(setImmediate);
  assert.equal(status, undefined, "it was answered before the timeout");
  for (let i = 0; i < 100 && status === undefined; i++) {
    expire();
    await new Promise(setImmediate);
  }
  return status;
}

// late resolves after more time than any fetch that does not hang.
function late() {
  let timer;
  const promise = new Promise((resolve) => void (timer = setTimeout(resolve, 20000, "late")));
  return { promise, stop: () => clearTimeout(timer) };
}

test("the first request fetches keys and feed, the next ones do not", async () => {
  const w = world();
  assert.deepEqual(w.asked, { keys: 0, feed: 0 });
  for (let i = 0; i < 20; i++) assert.equal(await w.ask(), 200);
  assert.deepEqual(w.asked, { keys: 1, feed: 1 });
});

test("a burst of first requests fetches once", async () => {
  const w = world();
  const answers = await Promise.all(Array.from({ length: 100 }, () => w.ask()));
  assert.ok(answers.every((status) => status === 200));
  assert.deepEqual(w.asked, { keys: 1, feed: 1 });
});

test("a logout is in force after the interval, a new login works", async () => {
  const w = world();
  const token = w.issuer.token();
  assert.equal(await w.ask(token), 200);
  w.issuer.revoke("session-1");
  assert.equal(await w.ask(token), 200);
  w.after(5);
  await w.ask(); // starts the fetch and does not wait
  await w.settle();
  assert.equal(await w.ask(token), 401);
  assert.equal(await w.ask(w.issuer.token({ sid: "session-2" })), 200);
});

test("changes are fetched since the last document", async () => {
  const w = world();
  const token = w.issuer.token();
  w.issuer.revoke("session-1", "session-2");
  assert.equal(await w.ask(token), 401);
  w.after(300);
  w.issuer.lift("session-1");
  w.issuer.revoke("session-3");
  assert.equal(await w.ask(token), 200);
  assert.equal(await w.ask(w.issuer.token({ sid: "session-2" })), 401);
  assert.equal(await w.ask(w.issuer.token({ sid: "session-3" })), 401);
  assert.deepEqual(w.since, [null, String(Math.floor(BASE / 1000))]);
});

test("the whole list is fetched again after six hours", async () => {
  const w = world();
  for (let hour = 0; hour <= 13; hour++) {
    assert.equal(await w.ask(), 200);
    w.after(3600);
  }
  assert.deepEqual(w.since.map((since) => since === null), Array.from({ length: 14 }, (_, hour) => hour % 6 === 0));
});

test("a document that the guest refuses is replaced by the whole list", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  const { feed } = w.issuer;
  w.issuer.feed = (since) => (since ? feed.call(w.issuer, String(Number(since) + 60)) : feed.call(w.issuer)); // a gap
  w.issuer.revoke("session-1");
  w.after(20);
  assert.equal(await w.ask(), 200);
  assert.match(w.logs.join("\n"), /does not continue the one in use/);
  w.after(5);
  await w.ask();
  await w.settle();
  assert.equal(await w.ask(), 401);
  assert.deepEqual(w.since.map((since) => since === null), [true, false, true]);
});

test("after a pause a request waits for the feed", async () => {
  const w = world();
  const token = w.issuer.token();
  assert.equal(await w.ask(token), 200);
  w.issuer.revoke("session-1");
  w.after(60);
  assert.equal(await w.ask(token), 401);
});

// A long list comes in parts. While it is loaded the list before is in force, and
// requests are decided between two parts.
test("a long feed does not block requests", async () => {
  const w = world();
  const token = w.issuer.token();
  w.issuer.partSize = 5;
  w.issuer.revoke(...Array.from({ length: 101 }, (_, i) => `other ${i}`));
  assert.equal(await w.ask(token), 200);
  w.issuer.revoke("session-1", ...Array.from({ length: 500 }, (_, i) => `more ${i}`));
  w.after(12); // so that requests would wait for a short one
  let decided = 0;
  for (const end = Date.now() + 20000; (await w.ask(token)) === 200 && Date.now() < end; decided++) {
    await new Promise(setImmediate);
  }
  assert.equal(await w.ask(token), 401);
  assert.ok(decided > 5, `${decided} requests were decided while the feed was loaded`);
  assert.equal(w.asked.feed, 2);
});

// The clock of the edge, of the issuer or of both jumps forward and back (CWE-613).
test("a clock that jumps revives no ended session", async () => {
  for (const [name, edge, issuer] of [["edge", 1, 0], ["issuer", 0, 1], ["both", 1, 1]]) {
    const w = world();
    let ahead = 0;
    const real = () => w.now - edge * ahead;
    w.issuer.clock = () => real() + issuer * ahead;
    const token = w.issuer.token({ exp: BASE / 1000 + 14 * 86400 });
    w.issuer.revoke("session-1");
    assert.equal(await w.ask(token), 401, name);
    ahead = 40 * 86400 * 1000;
    w.now += edge * ahead;
    for (let i = 0; i < 3; i++) {
      assert.notEqual(await w.ask(token), 200, `${name}, during the jump`);
      w.after(6);
    }
    w.now -= edge * ahead;
    ahead = 0;
    for (let i = 0; i < 5; i++) {
      assert.notEqual(await w.ask(token), 200, `${name}, after the jump`);
      await w.settle();
      w.after(6);
    }
    assert.equal(await w.ask(w.issuer.token({ sid: "session-2" })), 200, `${name}, another session`);
    assert.equal(await w.ask(token), 401, name);
  }
});

// The promises that are passed to the host keep a Worker alive until they settle.
test("fetches are passed to the host", async () => {
  const w = world(), work = [];
  await w.edge.decide({ method: "GET", uri: "/", headers: [] }, (promise) => work.push(promise));
  assert.equal(work.length, 2);
  await Promise.all(work);
});

test("an issuer that is down at the start is 503 until it is up", async () => {
  const w = world();
  w.fault = () => new Response("down", { status: 502 });
  assert.equal(await w.ask(), 503);
  const asked = { ...w.asked };
  assert.equal(await w.ask(), 503);
  assert.deepEqual(w.asked, asked, "it was asked again immediately");
  w.fault = undefined;
  w.after(5);
  assert.equal(await w.ask(), 200);
});

test("an issuer that goes down later has no effect until the feed is too old", async () => {
  const w = world();
  const token = w.issuer.token();
  assert.equal(await w.ask(token), 200);
  w.fault = () => {
    throw new TypeError("fetch failed");
  };
  for (let i = 0; i < 29; i++) {
    w.after(10);
    assert.equal(await w.ask(token), 200, `after ${(i + 1) * 10} s`);
  }
  w.after(20);
  assert.equal(await w.ask(token), 503);
  w.fault = undefined;
  w.after(5);
  await w.ask(token); // starts the fetch
  await w.settle();
  assert.equal(await w.ask(token), 200);
});

test("revocations_max_age allows a stale feed", async () => {
  const w = world({ config: { issuer: NAME, revocations_max_age: "50m" } });
  assert.equal(await w.ask(), 200);
  w.fault = () => new Response("", { status: 500 });
  w.after(49 * 60);
  assert.equal(await w.ask(), 200);
  w.after(120);
  assert.equal(await w.ask(), 503);
});

// An attacker on the way answers with a feed from before the logout (CWE-294).
test("an older feed is not taken", async () => {
  const w = world();
  const token = w.issuer.token();
  const old = w.issuer.feed();
  w.after(2);
  w.issuer.revoke("session-1");
  assert.equal(await w.ask(token), 401);
  w.issuer.feed = () => old;
  w.after(20);
  assert.equal(await w.ask(token), 401);
});

test("an error page does not replace the keys", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  for (const page of ["<html>", "{}", '{"keys":[]}', "null"]) {
    w.after(1200);
    w.fault = (what) => (what === "keys" ? new Response(page) : undefined);
    assert.equal(await w.ask(), 200, page);
  }
});

test("an answer without end is broken off", async () => {
  for (const [what, pattern] of [["keys", /more than 1048576 bytes/], ["feed", /a part has more than 262144 bytes/]]) {
    const w = world({ timeout: 30 });
    const endless = () => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1 << 16).fill(65)) }));
    w.fault = (asked) => (asked === what ? endless() : undefined);
    assert.equal(await w.ask(), 503, what);
    assert.match(w.logs.join(), pattern);
  }
});

test("a feed that is cut off is not in force", async () => {
  const w = world();
  const token = w.issuer.token();
  w.issuer.partSize = 2;
  w.issuer.revoke("session-1", "session-2", "session-3");
  const { feed } = w.issuer;
  w.issuer.feed = (since) => feed.call(w.issuer, since).split("\n")[0];
  assert.equal(await w.ask(token), 503);
  assert.match(w.logs.join(), /it is incomplete/);
  w.issuer.feed = feed;
  w.after(5);
  assert.equal(await w.ask(token), 401);
});

test("an issuer that does not answer delays requests for the timeout only", async (t) => {
  const w = world({ timeout: 0.5 }), expire = timers(t);
  w.fault = (_what, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  assert.equal(await answered(w.ask(), expire), 503);
  w.fault = undefined;
  w.after(5);
  assert.equal(await w.ask(), 200);
});

// One request waits, and not each of them: the feed in use is valid for minutes.
test("an issuer that hangs does not delay each request", async () => {
  const w = world({ timeout: 60 });
  const token = w.issuer.token();
  assert.equal(await w.ask(token), 200);
  w.after(60);
  w.fault = () => new Response("", { status: 502 }); // as if a request had waited in vain
  assert.equal(await w.ask(token), 200);
  w.after(5);
  let release;
  const hanging = new Promise((resolve) => void (release = resolve));
  w.fault = () => hanging.then(() => undefined);
  const { promise, stop } = late();
  for (let i = 0; i < 10; i++) assert.equal(await Promise.race([w.ask(token), promise]), 200);
  w.issuer.revoke("session-1");
  release();
  await w.settle();
  assert.equal(await Promise.race([w.ask(token), promise]), 401);
  stop();
});

// On Workers a fetch ends with the request that started it, and never settles.
test("a fetch that is lost is started again", async (t) => {
  const w = world({ timeout: 0.5 }), expire = timers(t);
  w.fault = () => new Promise(() => {});
  assert.equal(await answered(w.ask(), expire), 503);
  w.fault = undefined;
  w.after(1);
  assert.equal(await w.ask(), 200);
});

// The issuer publishes a key long before it signs with it, so that edges that fetch
// the keys periodically know it then.
test("a key that was published before it signs is known", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  w.issuer.publish();
  for (let minute = 0; minute < 12; minute++) {
    w.after(60);
    assert.equal(await w.ask(), 200);
    await w.settle();
  }
  w.issuer.signer = 1;
  assert.equal(await w.ask(), 200);
  w.issuer.revoke("session-1");
  w.after(20);
  assert.equal(await w.ask(), 401);
});

// Tokens with made-up keys cause no fetch and no delay (CWE-770).
test("unknown keys are refused without a fetch", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  for (let i = 0; i < 200; i++) {
    const header = Buffer.from(JSON.stringify({ alg: "EdDSA", kid: `made-up-${i}`, typ: "login+jwt" })).toString("base64url");
    assert.equal(await w.ask(`${header}.e30.AAAA`), 401);
  }
  assert.deepEqual(w.asked, { keys: 1, feed: 1 });
});

// A preflight of an unknown origin proceeds, without identity. Browsers send it
// without a body, so that a request with a body needs a token.
test("a preflight with a body needs a token, also if no header announces it", async () => {
  const w = world({ config: { issuer: NAME }, upstream: async () => new Response(null, { status: 299 }) });
  const preflight = (more) => new Request("https://edge.test/", {
    method: "OPTIONS", headers: { Origin: "https://elsewhere.example", "Access-Control-Request-Method": "POST" }, ...more,
  });
  const body = new ReadableStream({ start: (stream) => (stream.enqueue(new Uint8Array(3)), stream.close()) });
  assert.equal((await w.edge.fetch(preflight({}))).status, 299);
  assert.equal((await w.edge.fetch(preflight({ body, duplex: "half" }))).status, 401);
});

test("a feed is not a token, and a token not a feed", async () => {
  const w = world();
  assert.equal(await w.ask(w.issuer.feed()), 401);
  const other = world();
  const token = other.issuer.token();
  other.issuer.feed = () => token;
  assert.equal(await other.ask(), 503);
});

test("an instance that fails is replaced, and its request refused", async () => {
  for (const fault of ["unreachable", "exit"]) {
    const logs = [];
    const edge = new Edge({ module: new WebAssembly.Module(faulty(fault)), config: {}, log: (...line) => logs.push(line) });
    const ask = async () => (await edge.decide({ method: "GET", uri: "/", headers: [] })).status;
    // The guest lets each first request proceed and fails at each second one.
    assert.deepEqual([await ask(), await ask(), await ask(), await ask()], [0, 503, 0, 503], fault);
    assert.equal(logs.length, 2);
  }
});

// The new instance has no revocations. It decides when it has the whole list again.
test("an instance that replaces another one gets the feed", async () => {
  const w = world();
  const token = w.issuer.token();
  w.issuer.revoke("session-1");
  assert.equal(await w.ask(token), 401);
  const interrupted = { method: "GET", headers: [], uri: undefined }; // the host fails to pass it
  assert.equal((await w.edge.decide(interrupted)).status, 503);
  assert.equal(await w.ask(token), 401);
  assert.equal(await w.ask(w.issuer.token({ sid: "session-2" })), 200);
  assert.deepEqual(w.since, [null, null]);
});

test("a guest that cannot be made is not tried for each request", async () => {
  let now = BASE, made = 0;
  const edge = new Edge({ module: new WebAssembly.Module(faulty("unreachable")), config: {}, log: () => {}, now: () => now });
  const ask = async () => (await edge.decide({ method: "GET", uri: "/", headers: [] })).status;
  assert.equal(await ask(), 0);
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class {
    constructor() {
      made++;
      throw new RangeError("out of memory");
    }
  };
  try {
    for (let i = 0; i < 10; i++) assert.equal(await ask(), 503);
    assert.equal(made, 1);
  } finally {
    WebAssembly.Instance = Instance;
  }
  now += 1000;
  assert.equal(await ask(), 0);
});

test("faults of the configuration are logged at the start", () => {
  const logs = [];
  const log = (level, message) => logs.push(`${level}: ${message}`);
  new Edge({ module, config: { issuer: NAME, public: ["health"], colour: "red" }, keysURL: "https://issuer.test/keys", log });
  assert.match(logs.join("\n"), /error: .*colour: unknown name[^]*public: "health" must be a path/);
  assert.throws(() => new Edge({ module: new Uint8Array(8), config: {} }), /not a compiled WebAssembly.Module/);
  for (const upstream of ["app", "ftp://app", "https://app/path", "https://app/?x", "https://user@app"]) {
    assert.throws(() => new Edge({ module, config: {}, upstream, log }), /upstream|Invalid URL/, upstream);
  }
});
