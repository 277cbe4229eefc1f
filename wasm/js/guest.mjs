// The host side of the http-wasm handler ABI (https://http-wasm.io/http-handler-abi/)
// for a guest that decides about a request from its head alone. One instance serves
// one request after the other: a call never waits, so requests in flight need no
// instance of their own.

import { wasi } from "./wasi.mjs";

// Kinds of headers and bodies.
const REQUEST = 0, RESPONSE = 1;

// REMEMBERED is the number of requests per second that a guest remembers at most.
const REMEMBERED = 4096;

// Names of log levels, from -1 on.
const LEVELS = ["debug", "info", "warn", "error"];

/**
 * The part of a request that the guest reads and may change: method, uri (path and
 * query), protocol, address of the client, and headers, an array of [name, value]
 * with names in lower case and a character of a value for each byte. If the guest
 * refuses, its answer is in status, answer (headers) and body. status is 0 if the
 * request proceeds; the headers in answer are then added to those of the upstream.
 */
export class Exchange {
  constructor({ method, uri, protocol = "HTTP/1.1", address = "", headers }) {
    this.method = method;
    this.uri = uri;
    this.protocol = protocol;
    this.address = address;
    this.headers = headers.slice();
    this.status = 0;
    this.answer = [];
    this.body = [];
  }

  /** Refuses as the guest does if it cannot judge a request. */
  refuse() {
    this.status = 503;
    this.answer = [["content-type", "application/json"], ["cache-control", "no-store"], ["retry-after", "5"]];
    this.body = [new TextEncoder().encode('{"detail":"The service is temporarily unavailable.","code":"unavailable"}')];
  }

  /** The body of the answer as bytes, or null for none. */
  content() {
    if (this.body.length < 2) return this.body[0] ?? null;
    const all = new Uint8Array(this.body.reduce((length, part) => length + part.length, 0));
    this.body.reduce((position, part) => (all.set(part, position), position + part.length), 0);
    return all;
  }

  of(kind) {
    if (kind === REQUEST) return this.headers;
    return kind === RESPONSE ? this.answer : []; // trailers are not forwarded
  }

  /**
   * Changes the headers of a kind: replaces removes those with a name, and a value is
   * added unless it is undefined.
   */
  change({ kind, name, value, replaces }) {
    const headers = this.of(kind);
    if (replaces) {
      let kept = 0;
      for (const header of headers) if (header[0] !== name) headers[kept++] = header;
      headers.length = kept;
    }
    if (value !== undefined) headers.push([name, value]);
  }
}

/** An instance of the guest. */
export class Guest {
  // What the guest changed in requests that others repeat in the same second, by
  // inputs(). To repeat the changes is cheaper than to call the guest, which calls back
  // for each header. The texts contain tokens, for a second or until the next request.
  memo = new Map();
  second = 0; // of the entries, since 1970
  asked = new Set(); // the names of the headers whose values the guest has asked for
  changes = []; // what it has changed in the present request

  /**
   * - module: the compiled guest
   * - config: text that the guest reads as its configuration
   * - now: returns milliseconds since 1970
   * - log(level, message): receives the messages of the guest
   */
  constructor({ module, config, now, log }) {
    this.config = new TextEncoder().encode(config);
    this.now = now;
    this.log = log;
    this.instance = new WebAssembly.Instance(module, {
      wasi_snapshot_preview1: wasi({
        module, now,
        memory: () => this.memory,
        print: (line) => log("error", line),
      }),
      http_handler: this.handlers(),
    });
    this.memory = this.instance.exports.memory;
    this.instance.exports._initialize?.();
  }

  /** Passes another configuration to the guest, which refuses an invalid one. */
  configure(config) {
    this.memo.clear();
    this.config = new TextEncoder().encode(config);
    if (this.instance.exports.reconfigure() !== 0) this.log("error", "the guest refused its configuration");
  }

  /** Passes a part of the feed of revocations, as bytes, and returns the progress. */
  take(part) {
    this.memo.clear();
    const { config } = this;
    this.config = part;
    const progress = this.instance.exports.take_revocations();
    this.config = config;
    return progress;
  }

  /** Returns the cursor of the feed, or "" if the whole list is needed. */
  cursor() {
    const cursor = this.instance.exports.revocations_cursor();
    return cursor ? String(cursor) : "";
  }

  /**
   * Decides about an exchange. If it throws, the instance must not be used again.
   */
  handle(exchange) {
    const { exports } = this.instance, asked = this.asked.size, inputs = this.inputs(exchange);
    if (this.repeat(inputs, exchange)) return;
    this.exchange = exchange;
    this.changes = [];
    const result = exports.handle_request();
    if ((result & 1n) === 1n) {
      exchange.status = 0; // handle_response would do nothing
      // If it has asked for more, the inputs lack a value.
      if (this.asked.size === asked && this.memo.size < REMEMBERED && exports.is_repeatable()) this.memo.set(inputs, this.changes);
    } else {
      exchange.status ||= 200;
    }
    this.exchange = undefined;
  }

  // inputs returns all that a decision depends on which others may repeat: the method, the
  // names of the headers, and the values that the guest reads. The lengths tell where
  // each ends.
  inputs({ method, headers }) {
    let text = `${method.length},${method}`;
    for (const [name, value] of headers) {
      text += this.asked.has(name) ? `\n${name.length},${value.length},${name}${value}` : `\n${name.length},,${name}`;
    }
    return text;
  }

  // repeat makes the changes of an earlier request of this second, if there was one with
  // these inputs.
  repeat(inputs, exchange) {
    const second = Math.floor(this.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.memo.clear();
      return false;
    }
    const changes = this.memo.get(inputs);
    if (!changes) return false;
    for (const change of changes) exchange.change(change);
    return true;
  }

  // change makes a change for the guest, and notes it for requests that repeat it.
  change(change) {
    this.changes.push(change);
    this.exchange.change(change);
  }

  // heap is the guest's memory, which moves when it grows.
  get heap() {
    if (this.memory.buffer !== this.view?.buffer) this.view = new Uint8Array(this.memory.buffer);
    return this.view;
  }

  read(pointer, length) {
    return String.fromCharCode.apply(null, this.heap.subarray(pointer, pointer + length));
  }

  name(pointer, length) {
    if (length === 0) throw new Error("the guest has named a header with nothing");
    return this.read(pointer, length).toLowerCase();
  }

  // write writes a text if there is room, and returns how long it is.
  write(text, pointer, limit) {
    if (text.length <= limit) this.put(text, pointer);
    return text.length;
  }

  put(text, pointer) {
    const { heap } = this;
    for (let i = 0; i < text.length; i++) heap[pointer + i] = text.charCodeAt(i);
  }

  // list writes texts with a NUL behind each if there is room, and returns their
  // number and length.
  list(texts, pointer, limit) {
    let length = texts.length;
    for (const text of texts) length += text.length;
    if (length <= limit) {
      for (const text of texts) {
        this.put(text, pointer);
        this.heap[pointer + text.length] = 0;
        pointer += text.length + 1;
      }
    }
    return (BigInt(texts.length) << 32n) | BigInt(length);
  }

  handlers() {
    const text = (of) => (pointer, limit) => this.write(of(this.exchange), pointer, limit);
    return {
      enable_features: () => 0, // none: bodies pass by, trailers do not pass
      get_config: (pointer, limit) => {
        if (this.config.length <= limit) this.heap.set(this.config, pointer);
        return this.config.length;
      },
      log_enabled: () => 1,
      log: (level, pointer, length) => {
        if (level >= -1 && level <= 2) this.log(LEVELS[level + 1], new TextDecoder().decode(this.heap.subarray(pointer, pointer + length)));
      },

      get_method: text((exchange) => exchange.method),
      get_uri: text((exchange) => exchange.uri),
      get_protocol_version: text((exchange) => exchange.protocol),
      get_source_addr: text((exchange) => exchange.address),
      set_method: (pointer, length) => void (this.exchange.method = this.read(pointer, length)),
      set_uri: (pointer, length) => void (this.exchange.uri = this.read(pointer, length) || "/"),

      get_header_names: (kind, pointer, limit) => {
        const names = new Set();
        for (const [name] of this.exchange.of(kind)) names.add(name);
        return this.list([...names], pointer, limit);
      },
      get_header_values: (kind, name, length, pointer, limit) => {
        const wanted = this.name(name, length), values = [];
        if (kind === REQUEST) this.asked.add(wanted);
        for (const header of this.exchange.of(kind)) if (header[0] === wanted) values.push(header[1]);
        return this.list(values, pointer, limit);
      },
      set_header_value: (kind, name, nameLength, value, length) => {
        this.change({ kind, name: this.name(name, nameLength), value: this.read(value, length), replaces: true });
      },
      add_header_value: (kind, name, nameLength, value, length) => {
        this.change({ kind, name: this.name(name, nameLength), value: this.read(value, length), replaces: false });
      },
      remove_header: (kind, name, length) => this.change({ kind, name: this.name(name, length), replaces: true }),

      get_status_code: () => this.exchange.status || 200,
      set_status_code: (status) => void (this.exchange.status = status),
      read_body: () => {
        throw new Error("the guest wants a body, which it must not");
      },
      write_body: (kind, pointer, length) => {
        if (kind !== RESPONSE) throw new Error("the guest changes the body of a request, which it must not");
        this.exchange.body.push(this.heap.slice(pointer, pointer + length));
      },
    };
  }
}
