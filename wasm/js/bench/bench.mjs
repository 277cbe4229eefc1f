// Measures the cost of the gate in each JavaScript host, compared with the same host
// forwarding without it (Linux): `node bench/bench.mjs`. It prints a table for
// docs/performance-appendix.md. Each figure is the median of alternating slices; processor
// time is that of the host's process. The ratio is that of slices of the same round, with
// its quartiles.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import { Host, missing, names } from "../test/hosts.mjs";
import { Issuer, NAME } from "../test/issuer.mjs";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7), SLICE = Number(process.env.BENCH_REQUESTS ?? 2000), CONNECTIONS = 32;

// WARM is the number of requests to each host before the first slice. Engines compile
// what is used often, Bun's after more than 10,000 requests.
const WARM = Number(process.env.BENCH_WARM ?? 20_000);

const issuer = await Issuer.start();
const upstream = spawn(process.execPath, [new URL("upstream.mjs", import.meta.url).pathname], { stdio: ["ignore", "pipe", "inherit"] });
process.on("exit", () => upstream.kill()); // also after a failure below
const UPSTREAM = `http://127.0.0.1:${String((await once(upstream.stdout, "data"))[0]).trim()}`;

const tokens = Array.from({ length: 1000 }, (_, i) => issuer.token({ sid: `session-${i}`, sub: `user-${i}` }));
const all = {
  "one token": () => tokens[0],
  "1,000 tokens by turns": (i) => tokens[i % tokens.length],
  "tokens never seen": () => issuer.token(),
};
const kinds = process.env.BENCH_HOT ? { "one token": all["one token"] } : all;

// Returns the processor time of a process in microseconds: the sum of its threads.
async function processorTime(pid) {
  let sum = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0"); // it has ended
    sum += Number(text.split(" ")[0]) / 1000;
  }
  return sum;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });

function get(host, token) {
  return new Promise((resolve, reject) => {
    const request = http.get({ port: host.port, host: "127.0.0.1", path: "/things?page=1", agent, headers: { Authorization: `Token ${token}` } }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
      answer.resume().on("end", resolve);
    });
    request.on("error", reject);
  });
}

async function slice(host, token, length = SLICE) {
  const ready = Array.from({ length }, (_, i) => token(i));
  const before = await processorTime(host.process.pid), begin = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    while (ready.length > 0) await get(host, ready.pop());
  }));
  const seconds = (performance.now() - begin) / 1000;
  return { rate: length / seconds, micros: ((await processorTime(host.process.pid)) - before) / length };
}

const ranked = (values, at) => [...values].sort((a, b) => a - b)[Math.floor(at * values.length)];
const median = (values) => ranked(values, 0.5);
const spread = (ratios) => `${median(ratios).toFixed(2)}× (${ranked(ratios, 0.25).toFixed(2)}–${ranked(ratios, 0.75).toFixed(2)})`;
const round = (n) => Math.round(n).toLocaleString("en");

console.log(`${os.cpus()[0].model}, ${os.cpus().length} processors, load average ${os.loadavg()[0].toFixed(1)}, Node ${process.version}; ` +
  `medians of ${ROUNDS} slices of ${SLICE} requests by ${CONNECTIONS} connections, after ${WARM} requests\n`);
console.log("| host | requests | per second | processor µs each | to plain |\n| --- | --- | ---: | ---: | ---: |");
for (const name of names.filter((name) => !missing(name))) {
  const script = (kind) => ({ script: name === "workerd" ? `bench/${kind}-worker.mjs` : "bench/plain-server.mjs", files: ["bench/floor.mjs"] });
  const plain = await Host.start(name, { ...script("plain"), variables: { UPSTREAM } });
  // In Node the plain proxy is the floor.
  const floor = name !== "node" && (await Host.start(name, { ...script("floor"), variables: { UPSTREAM, FLOOR: "1" } }));
  const gate = await Host.start(name, { variables: { ISSUER: NAME, AUTH_URL: issuer.url, UPSTREAM } });
  const subjects = [["plain proxy", plain, kinds["one token"]]];
  if (floor) subjects.push(["the same with clean headers", floor, kinds["one token"]]);
  subjects.push(...Object.entries(kinds).map(([kind, token]) => [`gate, ${kind}`, gate, token]));
  const measured = subjects.map(() => []);
  for (const [, host, token] of subjects) await slice(host, token, WARM);
  for (let i = 0; i < ROUNDS; i++) {
    for (const [j, [, host, token]] of subjects.entries()) measured[j].push(await slice(host, token));
  }
  const micros = measured.map((slices) => median(slices.map((one) => one.micros)));
  const ratios = measured.map((slices) => slices.map((one, i) => one.micros / measured[0][i].micros));
  for (const [j, [kind]] of subjects.entries()) {
    const rate = median(measured[j].map((one) => one.rate));
    console.log(`| ${name} | ${kind} | ${round(rate)} | ${round(micros[j])} | ${j ? spread(ratios[j]) : ""} |`);
  }
  for (const host of [plain, floor, gate]) if (host) await host.stop();
}
agent.destroy();
upstream.kill();
await issuer.close();
