// Every case of testdata/gate in every JavaScript host: the same answers, byte for byte,
// as in the other hosts. testdata/gate/README.md documents the cases.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import test from "node:test";
import { Host, missing, names } from "./hosts.mjs";
import { exchange } from "./raw.mjs";
import { serve } from "./upstream.mjs";

const folder = new URL("../../../testdata/gate/", import.meta.url);
const json = async (name) => JSON.parse(await readFile(new URL(name, folder), "utf8"));

const base = await json("base.json");
const tokens = await json("tokens.json");
const shared = ["base.json", "keys.json", "tokens.json"];
const files = (await readdir(folder)).filter((name) => name.endsWith(".json") && !shared.includes(name)).sort();
const cases = (await Promise.all(files.map(json))).flatMap((file) => file.cases);

// Headers that are compared exactly, and those that only the gate may send to an
// upstream.
const exact = /^(www-authenticate|cache-control|retry-after|vary|access-control-.*|location|x-auth-login|content-security-policy)$/;
const guarded = /^(authorization|cookie|x.auth.*)$/;

// Cases that a host does not pass to the gate as they are.
const differences = {
  "two headers of more than 8 KiB together": {
    hosts: ["workerd", "deno", "bun"],
    why: "they join headers of one name to one of more than 8 KiB",
    answer: (got) => assert.deepEqual([got.status, got.body], [401, '{"detail":"Invalid token."}']),
  },
  "a preflight in small letters": {
    hosts: ["node", "workerd", "bun"],
    why: "they do not accept the method, and refuse the request or close the connection",
    answer: (got) => assert.ok(got.status === undefined || got.status === 400 || got.status === 501),
  },
};

const fill = (text) => text.replace(/\{\{(\w+)\}\}/g, (_, name) => tokens[name] ?? assert.fail(`there is no token ${name}`));

function fillAll(value) {
  if (typeof value === "string") return fill(value);
  if (Array.isArray(value)) return value.map(fillAll);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fillAll(member)]));
}

function siteOf({ config, time = base.time }) {
  const merged = Object.entries({ ...base.config, ...config }).filter(([, value]) => value !== null);
  return { time, config: fillAll(Object.fromEntries(merged)) };
}

// group returns headers as a Map of lower-case names to values joined by commas.
function group(raw) {
  const headers = new Map();
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${raw[i + 1]}` : raw[i + 1]);
  }
  return headers;
}

const flat = (headers) => headers.flat().map((text) => fill(text));

async function read(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString("latin1");
}

function send(port, site, { method = "GET", path = "/", headers = [], body }) {
  const lines = [["Host", `site-${site}.example`], ...headers.map((header) => header.map(fill))];
  if (body !== undefined) lines.push(["Content-Length", body.length]);
  const head = [`${method} ${path} HTTP/1.1`, ...lines.map((header) => header.join(": "))];
  return exchange(port, `${head.join("\r\n")}\r\n\r\n${body ?? ""}`);
}

function checkAnswer(got, { answer = {}, upstream }) {
  const { status = 200, body = upstream ? "upstream" : "", page, headers = {} } = answer;
  if (page) { // the heading of a page for people
    assert.ok(got.body.startsWith("<!doctype html>") && got.body.includes(`<h1>${page}</h1>`), got.body);
    assert.equal(got.status, status);
  } else {
    assert.deepEqual([got.status, got.body], [status, body]);
  }
  const want = new Map(Object.entries(headers).map(([name, values]) => [name.toLowerCase(), values.join(", ")]));
  for (const name of got.headers.keys()) {
    if (exact.test(name)) assert.equal(got.headers.get(name), want.get(name), name);
  }
  for (const [name, value] of want) assert.equal(got.headers.get(name), value, name);
}

function checkUpstream(seen, { request, upstream }) {
  if (!upstream) return assert.equal(seen, undefined, "the request proceeded");
  assert.ok(seen, "the request did not proceed");
  const { method = "GET", path = "/", headers = [], body = "" } = request;
  assert.deepEqual([seen.method, seen.path, seen.body], [method, path, body]);
  const { removed = [], added = {} } = upstream;
  const want = group(flat(headers));
  for (const name of [...removed, "connection", "keep-alive", "te", "upgrade", "host"]) want.delete(name.toLowerCase());
  for (const [name, value] of Object.entries(added)) want.set(name.toLowerCase(), value);
  for (const [name, value] of want) assert.equal(seen.headers.get(name), value, name);
  for (const name of seen.headers.keys()) if (guarded.test(name)) assert.ok(want.has(name), `${name} was forwarded`);
}

for (const name of names) {
  test(`the table in ${name}`, { skip: missing(name), timeout: 300_000 }, async (t) => {
    let seen, expected;
    const upstream = await serve(async (request, answer) => {
      seen = { method: request.method, path: request.url, headers: group(request.rawHeaders), body: await read(request) };
      for (const [header, value] of Object.entries(expected.upstream?.answers ?? {})) answer.setHeader(header, value);
      answer.end("upstream");
    });
    t.after(() => upstream.stop());
    const keys = cases.map((one) => JSON.stringify(siteOf(one)));
    const sites = [...new Set(keys)];
    const host = await Host.start(name, {
      script: name === "workerd" ? "test/table-worker.mjs" : "test/table-server.mjs",
      files: ["test/table-sites.mjs"],
      // A variable of the environment has 128 KiB at most on Linux.
      texts: name === "workerd" ? {} : { "sites.json": `[${sites.join(",")}]` },
      variables: { ...(name === "workerd" && { SITES: `[${sites.join(",")}]` }), UPSTREAM: upstream.url },
    });
    t.after(() => host.stop());
    for (const [i, one] of cases.entries()) {
      const skip = one.raw_path && name !== "node" && "this host rewrites paths";
      await t.test(one.name, { skip }, async () => {
        const difference = differences[one.name]?.hosts.includes(name) ? differences[one.name] : undefined;
        for (let again = 0; again < 3; again++) { // requests that proceed are remembered
          [seen, expected] = [undefined, one];
          const got = await send(host.port, sites.indexOf(keys[i]), one.request);
          if (difference) difference.answer(got);
          else checkAnswer(got, one);
          checkUpstream(seen, one);
        }
      });
    }
  });
}
