// The gate of edgeauth as a host for edgeauth-gate.wasm in plain JavaScript, for
// Cloudflare Workers, Deno, Bun and, with node.mjs, Node. The guest decides; this
// module passes requests to it, keeps its keys and revocations up to date, and
// forwards requests that proceed. edge.d.mts contains the types.

import { forward, inBytes, json, pathOf } from "./forward.mjs";
import { Exchange, Guest } from "./guest.mjs";
import { Published } from "./published.mjs";

// MAX_AGE is the default of the greatest age of the feed.
const MAX_AGE = "5m";

// CACHE_SIZE is the default number of verified tokens that are remembered, 8 MB in
// all. It is large because one instance serves all requests.
const CACHE_SIZE = 16384;

// RETRY is the time between two attempts to make an instance, in milliseconds.
const RETRY = 1000;

export class Edge {
  #published;
  #config; // the configuration without the keys
  #make; // returns a new instance with a configuration
  #guest; // undefined while it is in use, and after it has failed
  #version = 0; // the version of the keys that the guest has
  #failed = -Infinity; // the time at which no instance could be made
  #timeout;
  #now;
  #forward;

  constructor(options) {
    const {
      module, config, keysURL, revocationsURL, upstream,
      keysInterval = 600, revocationsInterval = 5, timeout = 5,
      fetch = (...request) => globalThis.fetch(...request),
      now = Date.now,
      log = (level, message) => console[level](`edgeauth: ${message}`),
    } = options;
    if (!(module instanceof WebAssembly.Module)) throw new TypeError("edgeauth: module is not a compiled WebAssembly.Module");
    this.log = log;
    this.#now = now;
    this.#timeout = timeout * 1000;
    this.#forward = upstream === undefined ? undefined : forward(upstream, fetch);
    this.#published = new Published({
      keysURL, revocationsURL, fetch, now, log,
      keysInterval: keysInterval * 1000,
      revocationsInterval: revocationsInterval * 1000,
      timeout: this.#timeout,
      take: (part) => this.#use((guest) => guest.take(part)),
      cursor: () => this.#use((guest) => guest.cursor()),
    });
    this.#config = {
      cache_size: CACHE_SIZE, ...(revocationsURL && { revocations_by_host: true, revocations_max_age: MAX_AGE }), ...config,
    };
    this.#make = (text) => new Guest({ module, config: text, now, log });
    // There are no keys yet, and a Worker that starts cannot fetch them. An absent
    // file replaces them until a request has fetched them.
    this.#guest = this.#make(JSON.stringify({ ...this.#config, ...(keysURL && { keys_file: "/unknown" }) }));
  }

  async decide(head, later) {
    await this.#fresh(later);
    return this.#ask(head);
  }

  async fetch(request, { address = "", later } = {}) {
    if (!this.#forward) throw new TypeError("edgeauth: there is no upstream");
    const url = new URL(request.url);
    const headers = inBytes([...request.headers]);
    if (hasUnseenBody(request, headers)) headers.push(["transfer-encoding", "chunked"]);
    const head = { method: request.method, uri: pathOf(url), address, headers };
    const wait = this.#fresh(later);
    if (wait) await wait; // which takes time also for nothing
    const exchange = this.#ask(head);
    if (exchange.status) return new Response(exchange.content(), { status: exchange.status, headers: exchange.answer });
    try {
      return await this.#forward(request, url, exchange, address);
    } catch (error) {
      this.log("error", `the upstream cannot be reached: ${error.message}`);
      return json(502, "The upstream cannot be reached.");
    }
  }

  // fresh returns a promise if keys or revocations have to be fetched first.
  #fresh(later) {
    const wait = this.#published.prepare(later);
    return wait && this.#within(wait);
  }

  // ask has the guest decide. If it fails, the request is refused.
  #ask(head) {
    const exchange = new Exchange(head);
    if (!this.#published.complete) {
      exchange.refuse();
      return exchange;
    }
    try {
      this.#use((guest) => guest.handle(exchange));
    } catch (error) {
      this.log("error", `a request was refused: ${error.message}`);
      exchange.refuse();
    }
    return exchange;
  }

  // use calls a function with the instance. An instance that fails is dropped, and
  // its feed with it.
  #use(call) {
    const guest = this.#take();
    try {
      const result = call(guest);
      this.#guest = guest;
      return result;
    } finally {
      if (!this.#guest) this.#published.feed?.forget();
    }
  }

  // take returns the instance with the present keys. Unless the caller gives it back,
  // the next call makes another one, which has no feed yet.
  #take() {
    const guest = this.#guest, version = this.#published.version;
    this.#guest = undefined;
    if (guest && version === this.#version) return guest;
    const keys = this.#published.keys;
    const text = JSON.stringify({ ...this.#config, ...(keys && { keys: keys.text ?? "" }) });
    this.#version = version;
    if (guest) {
      guest.configure(text);
      return guest;
    }
    if (this.#now() - this.#failed < RETRY) throw new Error("making an instance of the guest failed a moment ago");
    this.#failed = this.#now();
    const made = this.#make(text);
    this.#failed = -Infinity;
    return made;
  }

  // within waits for a promise, at most for the timeout.
  async #within(promise) {
    let timer;
    const late = new Promise((resolve) => void (timer = setTimeout(resolve, this.#timeout)));
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

// hasUnseenBody reports whether an OPTIONS request has a body that no header announces, as
// in HTTP/2: the guest detects a preflight by the absence of a body, which it sees by the
// headers. Deno gives a body to every OPTIONS request, so that it does not count there.
function hasUnseenBody(request, headers) {
  if (request.method !== "OPTIONS" || typeof Deno !== "undefined" || !request.body) return false;
  return !headers.some(([name]) => name === "content-length" || name === "transfer-encoding");
}
