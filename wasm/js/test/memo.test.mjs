// Requests whose changes are repeated without a call of the guest, and those that must
// not be.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { Exchange, Guest } from "../guest.mjs";
import { guestFile } from "./hosts.mjs";
import { Issuer, NAME } from "./issuer.mjs";

const module = await WebAssembly.compile(await readFile(guestFile));
// The beginning of a second. Tests set the clock back, and the guest refuses every request
// before the time of its build, which may have been a moment ago.
const BASE = Math.ceil(Date.now() / 1000) * 1000 + 60_000;

// world returns a guest with the keys of an issuer, a clock, and ask, which tells whether
// the guest was called for a request. The guest has seen a first request.
function world(config = {}) {
  const w = { issuer: new Issuer(), now: BASE, calls: 0 };
  w.issuer.clock = () => w.now;
  w.config = { issuer: NAME, keys: w.issuer.keySet(), cache_size: 16384, headers: ["X-Auth-Email"], ...config };
  w.guest = new Guest({ module, config: JSON.stringify(w.config), now: () => w.now, log: () => {} });
  const { exports } = w.guest.instance;
  w.guest.instance = { exports: { ...exports, handle_request: () => (w.calls++, exports.handle_request()) } };
  w.token = w.issuer.token();
  w.ask = (changes = {}) => {
    const { headers = [["authorization", `Token ${w.token}`], ["accept", "*/*"]], ...head } = changes;
    const exchange = new Exchange({ method: "GET", uri: "/", headers, ...head }), { calls } = w;
    w.guest.handle(exchange);
    return { called: w.calls > calls, status: exchange.status || 200, headers: exchange.headers, answer: exchange.answer };
  };
  if (!config.revocations_by_host) assert.equal(w.ask().status, 200);
  return w;
}

test("a request like one of the same second is not passed to the guest", () => {
  const w = world({ origins: ["https://app.example.com"] });
  for (const headers of [
    [["authorization", `Token ${w.token}`], ["x-request-id", "1"]],
    [["origin", "https://app.example.com"], ["authorization", `Token ${w.token}`], ["content-length", "1"]],
    [["cookie", "a=b"], ["cookie", "c=d"], ["authorization", `Token ${w.token}`], ["x-other", "1"]],
  ]) {
    for (let i = 0; i < 2; i++) w.ask({ headers }); // the first one shows what the guest reads
    const first = w.ask({ headers, uri: "/first" });
    w.now += 300;
    const like = headers.map(([name, value]) => [name, value === "1" ? "2" : value]);
    const second = w.ask({ headers: like, uri: "/second?page=2", address: "192.0.2.1" });
    w.now -= 300;
    assert.deepEqual([first.called, second.called], [false, false]);
    const whole = world({ origins: ["https://app.example.com"] });
    Object.assign(whole, { issuer: w.issuer, token: w.token });
    whole.guest.configure(JSON.stringify(w.config));
    const want = whole.ask({ headers: like });
    assert.deepEqual([second.status, second.headers.sort(), second.answer.sort()], [want.status, want.headers.sort(), want.answer.sort()]);
    assert.ok(second.headers.some(([name, value]) => name === "x-auth-email" && value === "ada@example.com"));
  }
});

test("another request is passed to the guest", () => {
  const w = world();
  const token = ["authorization", `Token ${w.token}`], other = w.issuer.token({ sub: "user-2" });
  w.ask();
  for (const [what, change] of Object.entries({
    "another method": { method: "POST" },
    "another token": { headers: [["authorization", `Token ${other}`], ["accept", "*/*"]] },
    "a longer token": { headers: [["authorization", `Token ${w.token}x`], ["accept", "*/*"]] },
    "another header": { headers: [token, ["accept", "*/*"], ["x-other", ""]] },
    "no token": { headers: [["accept", "*/*"]] },
    "another place": { headers: [["accept", "*/*"], token] },
    "a name twice": { headers: [token, token, ["accept", "*/*"]] },
    "a forged header": { headers: [token, ["x-auth-email", "eve@example.com"]] },
    // Values and names that together read like other names and values.
    "a line in a value": { headers: [["authorization", `Token ${w.token}\n6,,accept`]] },
    "a line in a name": { headers: [[`authorization`, ""], [`\nauthorization,${token[1].length},${token[1]}`, ""]] },
    "a line in the method": { method: `GET\n13,${token[1].length},authorization${token[1]}`, headers: [["accept", "*/*"]] },
  })) {
    assert.ok(w.ask(change).called, what);
  }
  assert.equal(w.ask().called, false);
});

test("refusals, anonymous requests, preflights and forged headers are passed to the guest each time", () => {
  const w = world({ optional: true, origins: ["https://app.example.com"] });
  const token = ["authorization", `Token ${w.token}`];
  for (const [what, change] of Object.entries({
    refused: { headers: [["authorization", "Token x.y.z"]] },
    anonymous: { headers: [["accept", "*/*"]] },
    preflight: { method: "OPTIONS", headers: [["origin", "https://app.example.com"], ["access-control-request-method", "GET"]] },
    options: { method: "OPTIONS", headers: [token] },
    forged: { headers: [token, ["x-auth-user-id", "1"]] },
    "forged in another spelling": { headers: [token, ["x_auth_email", "1"]] },
  })) {
    for (let i = 0; i < 3; i++) assert.ok(w.ask(change).called, what);
  }
});

test("nothing is repeated without a cache, or on sites with a login page", () => {
  for (const config of [{ cache_size: 0 }, { login_page: "/auth", origin: "https://app.example.com" }]) {
    const w = world(config);
    for (let i = 0; i < 3; i++) assert.ok(w.ask().called, JSON.stringify(config));
  }
});

// The user's session was ended, or the token has expired, while the request is
// remembered; other keys or rules are in force (CWE-613).
test("the guest decides again after each change", () => {
  const cases = {
    "the next second": { change: (w) => void (w.now += 1000), status: 200 },
    "the clock set back": { change: (w) => void (w.now -= 1000), status: 200 },
    "an expired token": { token: { exp: BASE / 1000 + 1 }, change: (w) => void (w.now += 1000), status: 401 },
    "other keys": { change: (w) => w.guest.configure(JSON.stringify({ ...w.config, keys: new Issuer().keySet() })), status: 401 },
    "other rules": { change: (w) => w.guest.configure(JSON.stringify({ ...w.config, require: [{ field: "client", values: ["ios"] }] })), status: 403 },
    "an ended session": {
      config: { revocations_by_host: true },
      change: (w) => {
        w.issuer.revoke("session-1");
        feed(w);
      },
      status: 401,
    },
  };
  for (const [what, { config, token, change, status }] of Object.entries(cases)) {
    const w = world(config);
    if (config) {
      w.now -= 10_000;
      feed(w);
      w.now += 10_000;
    }
    w.token = w.issuer.token(token);
    for (let i = 0; i < 2; i++) w.ask();
    assert.deepEqual({ ...w.ask(), headers: 0 }, { called: false, status: 200, headers: 0, answer: [] }, what);
    change(w);
    const got = w.ask();
    assert.deepEqual([got.called, got.status], [true, status], what);
  }
});

function feed(w) {
  assert.equal(w.guest.take(new TextEncoder().encode(w.issuer.feed(""))), 2); // in force
}

// A client repeats requests with many valid tokens, or with ever other names of headers
// (CWE-770).
test("the number of remembered requests is limited", () => {
  const w = world();
  for (let i = 0; i < 5000; i++) w.ask({ headers: [["authorization", `Token ${w.token}`], [`x-${i}`, ""]] });
  assert.equal(w.guest.memo.size, 4096);
  w.now += 1000;
  w.ask();
  assert.equal(w.guest.memo.size, 1);
});
