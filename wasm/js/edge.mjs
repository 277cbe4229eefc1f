// The gate of edgeauth at other people's edges: a host for edgeauth-gate.wasm in
// plain JavaScript, for Cloudflare Workers, Deno, Bun and, with node.mjs, Node.
// The guest decides; what is here hands it requests, keeps its keys and
// revocations up to date, and forwards what may go on. edge.d.mts has the types.

import { bytesOf, forward, json, pathOf } from "./forward.mjs";
import { Exchange, Guest } from "./guest.mjs";
import { Published } from "./published.mjs";

// How old the feed of revocations may be, unless the configuration says otherwise.
const MAX_AGE = "5m";

// How many verified tokens are remembered, unless the configuration says otherwise:
// 8 MB when full. There is one instance for all requests, so it can be generous.
const CACHE_SIZE = 16384;

// After an instance could not be made, none is tried for so many milliseconds.
const RETRY = 1000;

export class Edge {
  #published;
  #config; // what was configured, without what is published
  #make; // returns a new instance with a configuration
  #guest; // undefined while it is in use, and after it has failed
  #version = 0; // of what is published that the guest knows
  #failed = -Infinity; // when no instance could be made
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
    });
    this.#config = { cache_size: CACHE_SIZE, ...(revocationsURL && { revocations_max_age: MAX_AGE }), ...config };
    this.#make = (text) => new Guest({ module, config: text, now, log });
    // Nothing is known yet, and where a Worker starts nothing can be asked for.
    // Files that are not there stand for it, until a request brings it.
    this.#guest = this.#make(JSON.stringify({
      ...this.#config,
      ...(keysURL && { keys_file: "/unknown" }),
      ...(revocationsURL && { revocations_file: "/unknown" }),
    }));
  }

  async decide(head, later) {
    const wait = this.#published.prepare(later);
    if (wait) await this.#within(wait);
    const exchange = await this.#judge(head, wait);
    if (exchange.status !== 401) return exchange;
    const learning = this.#published.learnKey(head.headers);
    if (!learning) return exchange;
    later?.(learning);
    const known = await this.#within(learning);
    if (known) return this.#ask(head);
    // A token that could not be judged is not told to be bad: it would be thrown away.
    return known === false ? exchange : refused(head);
  }

  async fetch(request, { address = "", later } = {}) {
    if (!this.#forward) throw new TypeError("edgeauth: there is no upstream");
    const url = new URL(request.url);
    const headers = Array.from(request.headers, ([name, value]) => [name, bytesOf(value)]);
    if (hasUnseenBody(request, headers)) headers.push(["transfer-encoding", "chunked"]);
    const head = { method: request.method, uri: pathOf(url), address, headers };
    const exchange = await this.decide(head, later);
    if (exchange.status) return new Response(exchange.content(), { status: exchange.status, headers: exchange.answer });
    try {
      return await this.#forward(request, url, exchange, address);
    } catch (error) {
      this.log("error", `the upstream cannot be reached: ${error.message}`);
      return json(502, "The upstream cannot be reached.");
    }
  }

  // judge asks the guest. Where it cannot tell, as what is known is too old, and
  // nothing was waited for, it is asked again when more is known.
  async #judge(head, waited) {
    const exchange = this.#ask(head), coming = this.#published.coming;
    if (exchange.status !== 503 || waited || !coming) return exchange;
    await this.#within(coming);
    return this.#ask(head);
  }

  // ask calls the guest. An instance that fails is never used again, and the
  // request at which it failed does not go on.
  #ask(head) {
    if (!this.#published.complete) return refused(head);
    const exchange = new Exchange(head);
    try {
      const guest = this.#take();
      guest.handle(exchange);
      this.#guest = guest;
    } catch (error) {
      this.log("error", `a request was refused: ${error.message}`);
      exchange.refuse();
    }
    return exchange;
  }

  // take returns the instance, with everything that is known. Whoever fails to
  // give it back has another one made.
  #take() {
    const guest = this.#guest, version = this.#published.version;
    this.#guest = undefined;
    if (guest && version === this.#version) return guest;
    const text = JSON.stringify({ ...this.#config, ...this.#published.config() });
    this.#version = version;
    if (guest) {
      guest.configure(text);
      return guest;
    }
    if (this.#now() - this.#failed < RETRY) throw new Error("no instance of the guest could be made a moment ago");
    this.#failed = this.#now();
    const made = this.#make(text);
    this.#failed = -Infinity;
    return made;
  }

  // within waits for a promise, but not for ever.
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

// refused returns what came of a request that cannot be judged.
function refused(head) {
  const exchange = new Exchange(head);
  exchange.refuse();
  return exchange;
}

// hasUnseenBody says whether a request has a body of which no header tells, as in
// HTTP/2: the guest sees a body by its headers. Deno gives a body to every OPTIONS,
// so that nothing follows from it there.
function hasUnseenBody(request, headers) {
  if (!request.body || typeof Deno !== "undefined") return false;
  return !headers.some(([name]) => name === "content-length" || name === "transfer-encoding");
}
