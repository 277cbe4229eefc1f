// Keys and revocations, and what happens when something is broken, without a
// network: the time and the issuer's answers are made up here.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { Edge } from "../edge.mjs";
import { guestFile } from "./hosts.mjs";
import { Issuer, NAME } from "./issuer.mjs";
import { faulty } from "./faulty.mjs";

const module = await WebAssembly.compile(await readFile(guestFile));
const BASE = Date.now();

// Issuer, clock and edge. The issuer is asked by way of fetch.
function world(options = {}) {
  const w = { issuer: new Issuer(), now: BASE, logs: [], asked: { keys: 0, revocations: 0 }, fault: undefined };
  w.issuer.clock = () => w.now;
  const fetch = async (url, { headers, signal }) => {
    const what = url.endsWith("/keys") ? "keys" : "revocations";
    w.asked[what]++;
    const fault = await w.fault?.(what, signal);
    if (fault) return fault;
    const text = what === "keys" ? w.issuer.keySet() : w.issuer.feed();
    const etag = `"${text.length}-${text.slice(-20)}"`;
    if (headers["If-None-Match"] === etag) return new Response(null, { status: 304 });
    return new Response(text, { headers: { ETag: etag } });
  };
  w.edge = new Edge({
    module, fetch, config: { issuer: NAME }, keysURL: "https://issuer.test/keys", revocationsURL: "https://issuer.test/feed",
    now: () => w.now, log: (level, message) => w.logs.push(`${level}: ${message}`), ...options,
  });
  w.ask = async (token = w.issuer.token()) => {
    const { status } = await w.edge.decide({ method: "GET", uri: "/", headers: [["authorization", `Token ${token}`]] });
    return status || 200;
  };
  w.after = (seconds) => void (w.now += seconds * 1000);
  return w;
}

test("keys and revocations are read with the first request, and not with each", async () => {
  const w = world();
  assert.deepEqual(w.asked, { keys: 0, revocations: 0 });
  for (let i = 0; i < 20; i++) assert.equal(await w.ask(), 200);
  assert.deepEqual(w.asked, { keys: 1, revocations: 1 });
});

test("a burst of first requests asks once", async () => {
  const w = world();
  const answers = await Promise.all(Array.from({ length: 100 }, () => w.ask()));
  assert.ok(answers.every((status) => status === 200));
  assert.deepEqual(w.asked, { keys: 1, revocations: 1 });
});

test("a logout counts after the interval, a new login does", async () => {
  const w = world();
  const token = w.issuer.token();
  assert.equal(await w.ask(token), 200);
  w.issuer.sessions.add("session-1");
  assert.equal(await w.ask(token), 200);
  w.after(5);
  await w.ask(); // has it read again, behind the request
  await new Promise(setImmediate);
  assert.equal(await w.ask(token), 401);
  assert.equal(await w.ask(w.issuer.token({ sid: "session-2" })), 200);
});

test("after a pause a request waits for what is new", async () => {
  const w = world();
  const token = w.issuer.token();
  assert.equal(await w.ask(token), 200);
  w.issuer.sessions.add("session-1");
  w.after(60);
  assert.equal(await w.ask(token), 401);
});

test("what is revoked after the clock was set back counts", async () => {
  const w = world();
  const token = w.issuer.token();
  assert.equal(await w.ask(token), 200);
  w.after(-50);
  w.issuer.clock = () => w.now + 50000; // its clock is right
  w.issuer.sessions.add("session-1");
  w.after(5);
  assert.equal(await w.ask(token), 401);
  w.issuer.rotate();
  assert.equal(await w.ask(w.issuer.token({ sid: "session-2" })), 200);
});

// The promise that is given to the host keeps a Worker alive until it is done.
test("what goes on behind a request is told to the host", async () => {
  const w = world(), work = [];
  await w.edge.decide({ method: "GET", uri: "/", headers: [] }, (promise) => work.push(promise));
  assert.equal(work.length, 2);
  await Promise.all(work);
});

test("an issuer that is down at the start is 503 until it is there", async () => {
  const w = world();
  w.fault = () => new Response("down", { status: 502 });
  assert.equal(await w.ask(), 503);
  const asked = { ...w.asked };
  assert.equal(await w.ask(), 503);
  assert.deepEqual(w.asked, asked, "it was asked again at once");
  w.fault = undefined;
  w.after(5);
  assert.equal(await w.ask(), 200);
});

test("an issuer that goes down later is not noticed, until the feed is too old", async () => {
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
  assert.equal(await w.ask(token), 200);
});

test("where a stale feed is to be served, it is", async () => {
  const w = world({ config: { issuer: NAME, revocations_max_age: "50m" } });
  assert.equal(await w.ask(), 200);
  w.fault = () => new Response("", { status: 500 });
  w.after(49 * 60);
  assert.equal(await w.ask(), 200);
  w.after(120);
  assert.equal(await w.ask(), 503);
});

// A feed from before the logout, by somebody on the way (CWE-294).
test("an older feed is not taken", async () => {
  const w = world();
  const token = w.issuer.token();
  const old = w.issuer.feed();
  w.after(2);
  w.issuer.sessions.add("session-1");
  assert.equal(await w.ask(token), 401);
  w.issuer.feed = () => old;
  w.after(20);
  assert.equal(await w.ask(token), 401);
});

test("an error page does not replace the keys", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  for (const page of ["<html>", "{}", '{"keys":[]}', "null"]) {
    w.fault = (what) => what === "keys" && new Response(page);
    w.after(1200);
    w.fault = (what) => (what === "keys" ? new Response(page) : undefined);
    assert.equal(await w.ask(), 200, page);
  }
});

test("an answer without end is broken off", async () => {
  const w = world({ timeout: 30 });
  w.fault = (what) => what === "keys" && new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1 << 18)) }));
  assert.equal(await w.ask(), 503);
  assert.match(w.logs.join(), /more than 1048576 bytes/);
});

test("an issuer that does not answer holds nothing up for long", async () => {
  const w = world({ timeout: 0.5 });
  w.fault = (_what, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  assert.equal(await w.ask(), 503);
  w.fault = undefined;
  w.after(5);
  assert.equal(await w.ask(), 200);
});

// One request waits for it, and not each of them: what is known is good for
// minutes more.
test("an issuer that hangs does not hold up one request after the other", async () => {
  const w = world({ timeout: 60 });
  const token = w.issuer.token();
  assert.equal(await w.ask(token), 200);
  w.after(60);
  w.fault = () => new Response("", { status: 502 }); // as when it was waited for in vain
  assert.equal(await w.ask(token), 200);
  w.after(5);
  let release, timer;
  const hanging = new Promise((resolve) => void (release = resolve));
  w.fault = () => hanging.then(() => undefined);
  const late = new Promise((resolve) => void (timer = setTimeout(resolve, 20000, "late")));
  for (let i = 0; i < 10; i++) assert.equal(await Promise.race([w.ask(token), late]), 200);
  w.issuer.sessions.add("session-1");
  release();
  await new Promise(setImmediate);
  assert.equal(await Promise.race([w.ask(token), late]), 401);
  clearTimeout(timer);
});

// On Workers a fetch ends with the request that has begun it, and never settles.
test("a fetch that is lost is begun again", async () => {
  const w = world({ timeout: 0.5 });
  w.fault = () => new Promise(() => {});
  assert.equal(await w.ask(), 503);
  w.fault = undefined;
  w.after(1);
  assert.equal(await w.ask(), 200);
});

test("a new key is learnt at once", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  w.issuer.rotate();
  assert.equal(await w.ask(), 200);
  assert.equal(w.asked.keys, 2);
});

// madeUp returns a token of a key that nobody has.
function madeUp(id) {
  const header = Buffer.from(JSON.stringify({ alg: "EdDSA", kid: `made-up-${id}`, typ: "login+jwt" })).toString("base64url");
  const payload = Buffer.from(JSON.stringify({ exp: BASE / 1000 + 1e6 })).toString("base64url");
  return `${header}.${payload}.AAAA`;
}

// Made-up key IDs must not turn each request into one to the issuer (CWE-770).
// Where it was not asked the token was not judged.
test("unknown keys are asked for once a second, and each once a minute", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  for (let second = 0; second < 5; second++) {
    for (let i = 0; i < 50; i++) {
      assert.equal(await w.ask(madeUp(`${second}-${i}`)), i === 0 ? 401 : 503);
      assert.equal(await w.ask(madeUp("0-0")), 401, "it is known that there is none");
      assert.equal(await w.ask("x.y.z"), 401);
    }
    assert.equal(w.asked.keys, 2 + second);
    w.after(1);
  }
  w.after(60);
  assert.equal(await w.ask(madeUp("0-0")), 401);
  assert.equal(w.asked.keys, 7);
});

test("a new key is learnt also during a flood of made-up ones", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  assert.equal(await w.ask(madeUp(1)), 401);
  w.issuer.rotate();
  assert.equal(await w.ask(), 503);
  w.after(1);
  assert.equal(await w.ask(madeUp(2)), 401);
  assert.equal(await w.ask(), 200);
});

// An issuer that hangs holds up only so many whose keys are made up (CWE-770).
test("a flood of unknown keys is not held while the issuer hangs", async () => {
  const w = world({ timeout: 60 });
  const known = w.issuer.token();
  assert.equal(await w.ask(known), 200);
  let release;
  const hanging = new Promise((resolve) => void (release = resolve));
  w.fault = (what) => what === "keys" && hanging.then(() => undefined);
  const held = Array.from({ length: 1024 }, (_, i) => w.ask(madeUp(i)));
  const surplus = Promise.all(Array.from({ length: 200 }, (_, i) => w.ask(madeUp(2000 + i))));
  let timer;
  const late = new Promise((resolve) => void (timer = setTimeout(resolve, 20000, ["late"])));
  assert.deepEqual(new Set(await Promise.race([surplus, late])), new Set([503]));
  assert.equal(await w.ask(known), 200);
  clearTimeout(timer);
  release();
  assert.deepEqual(new Set(await Promise.all(held)), new Set([401, 503]));
});

// Requests that are lost with what they have begun must not take the places of
// those who wait for good: new keys would be learnt no more (CWE-404).
test("a flood whose fetch is lost leaves room for a new key", async () => {
  const w = world({ timeout: 0.5 });
  assert.equal(await w.ask(), 200);
  w.fault = (what) => what === "keys" && new Promise(() => {});
  await Promise.all(Array.from({ length: 1024 }, (_, i) => w.ask(madeUp(i))));
  w.fault = undefined;
  w.issuer.rotate();
  w.after(1.5);
  assert.equal(await w.ask(), 200);
});

// Clients throw a token away that gets 401.
test("a token of an unknown key is not told to be bad while the issuer is down", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  w.issuer.rotate();
  w.fault = (what) => what === "keys" && new Response("", { status: 502 });
  for (let i = 0; i < 20; i++) assert.equal(await w.ask(), 503);
  assert.equal(w.asked.keys, 2);
  w.fault = undefined;
  w.after(5);
  assert.equal(await w.ask(), 200);
});

// The key of an old token is published no more. That it has expired is sure, also
// while others have the keys read: 503 would have its owner try it for ever.
test("a token that has expired is 401, whatever its key", async () => {
  const w = world();
  const expired = w.issuer.token({ exp: BASE / 1000 - 3600 });
  w.issuer.rotate();
  w.issuer.keys.shift();
  assert.equal(await w.ask(), 200);
  assert.equal(await w.ask(madeUp(1)), 401);
  assert.equal(await w.ask(madeUp(2)), 503);
  assert.equal(await w.ask(expired), 401);
  assert.equal(w.asked.keys, 2);
});

// The issuer changes its key from one moment to the next: nobody who comes with a
// token of the new one is refused, and the feed that it signs is taken.
test("a sudden change of keys makes no 503", async () => {
  const w = world();
  assert.equal(await w.ask(), 200);
  w.issuer.rotate();
  w.issuer.keys.shift();
  for (let i = 0; i < 100; i++) {
    w.after(5);
    assert.equal(await w.ask(), 200, `after ${(i + 1) * 5} s`);
    await new Promise(setImmediate);
  }
});

// No token is needed for that: nobody comes with one for long after the change.
test("the feed of a new key has that key learnt", async () => {
  const w = world();
  const token = w.issuer.token();
  assert.equal(await w.ask(token), 200);
  w.issuer.rotate();
  w.issuer.keys.reverse(); // the new one signs the feed, both are published
  w.issuer.sessions.add("session-1");
  w.after(20);
  assert.equal(await w.ask(token), 401);
  assert.deepEqual(w.asked, { keys: 2, revocations: 2 });
});

// A preflight of an unknown origin goes on, without identity. Browsers send it
// without a body, so that a request with one needs a token.
test("a preflight with a body is none, also where no header tells of it", async () => {
  const w = world({ config: { issuer: NAME }, upstream: async () => new Response(null, { status: 299 }) });
  const preflight = (more) => new Request("https://edge.test/", {
    method: "OPTIONS", headers: { Origin: "https://elsewhere.example", "Access-Control-Request-Method": "POST" }, ...more,
  });
  const body = new ReadableStream({ start: (stream) => (stream.enqueue(new Uint8Array(3)), stream.close()) });
  assert.equal((await w.edge.fetch(preflight({}))).status, 299);
  assert.equal((await w.edge.fetch(preflight({ body, duplex: "half" }))).status, 401);
});

test("a feed is no token, and a token no feed", async () => {
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
    // The guest lets each first request through and fails at each second one.
    assert.deepEqual([await ask(), await ask(), await ask(), await ask()], [0, 503, 0, 503], fault);
    assert.equal(logs.length, 2);
  }
});

test("a guest that cannot be made is not tried at each request", async () => {
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

test("faults of the configuration are said at the start", () => {
  const logs = [];
  const log = (level, message) => logs.push(`${level}: ${message}`);
  new Edge({ module, config: { issuer: NAME, public: ["health"], colour: "red" }, keysURL: "https://issuer.test/keys", log });
  assert.match(logs.join("\n"), /error: .*colour: unknown name[^]*public: "health" must be a path/);
  assert.throws(() => new Edge({ module: new Uint8Array(8), config: {} }), /not a compiled WebAssembly.Module/);
  for (const upstream of ["app", "ftp://app", "https://app/path", "https://app/?x", "https://user@app"]) {
    assert.throws(() => new Edge({ module, config: {}, upstream, log }), /upstream|Invalid URL/, upstream);
  }
});
