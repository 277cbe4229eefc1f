// Public keys and revocations of an issuer, kept up to date for a guest that
// verifies them. There are no timers, because some hosts have none: a request that
// arrives when a document is due starts fetching it, and waits only if the document
// in use is too old.

// Limits on documents, in bytes and parts.
const MAX_KEYS = 1 << 20, MAX_PART = 256 << 10, MAX_PARTS = 1 << 11;

// RETRY is the time until the next attempt after a failure, in milliseconds.
const RETRY = 5000;

// LOST is the number of timeouts without progress after which a fetch is started
// again. On some hosts a fetch ends silently with the request that started it.
const LOST = 2;

// WHOLE is the time after which the whole list is fetched again instead of changes,
// in milliseconds.
const WHOLE = 6 * 3600 * 1000;

/** Progress of a guest that takes a part of the feed; see edge.Progress in Go. */
export const REFUSED = 0, PARTIAL = 1, IN_FORCE = 2, NOT_NEWER = 3;

// Document is a document at a URL that is fetched again after an interval.
class Document {
  constructor(url, interval, host) {
    Object.assign(this, { url, interval, host });
  }

  known = false; // whether a document is in use
  moved = -Infinity; // the time of the last progress
  checked = -Infinity; // the time of the last success
  running = undefined; // the fetch in progress
  wait = undefined; // the promise for requests that wait for it
  failed = false; // whether the last fetch failed
  ended = -Infinity; // the time at which it ended

  // forget notes that no document is in use any more. It is due immediately, unless
  // the fetch in progress is the cause.
  forget() {
    this.known = false;
    if (!this.running) this.moved = -Infinity;
  }

  // since returns the time since an event, which is infinite if the clock was set
  // back.
  since(time) {
    const age = this.host.now() - time;
    return age < 0 ? Infinity : age;
  }

  due() {
    const age = this.since(this.moved);
    if (this.running) return age >= LOST * this.host.timeout;
    return age >= (this.failed ? Math.min(RETRY, this.interval) : this.interval);
  }

  // tooOld reports whether requests should wait for a newer document. Soon after a
  // failed fetch they do not, as with an issuer that hangs.
  tooOld() {
    const long = 2 * this.interval;
    return !this.known || (this.since(this.checked) >= long && !(this.failed && this.since(this.ended) < long));
  }

  // refresh fetches the document, once at a time. It never fails: the document in
  // use stays.
  refresh() {
    if (this.running && !this.due()) return this.running;
    this.moved = this.host.now();
    const running = this.fetch()
      .then(() => {
        if (this.running !== running) return;
        this.checked = this.host.now();
        this.known = true;
        this.failed = false;
      })
      .catch((error) => {
        this.failed = true;
        this.host.log("warn", `fetching ${this.url} failed: ${error.message}`);
      })
      .finally(() => {
        this.ended = this.host.now();
        if (this.running === running) this.running = undefined;
        release();
      });
    let release;
    this.wait = new Promise((resolve) => (release = resolve));
    this.release = release;
    return (this.running = running);
  }

  // fetch requests the document and passes the answer to load, until it makes no
  // progress for the timeout.
  async fetch() {
    const abort = new AbortController();
    let timer;
    const progress = () => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(new Error("no answer in time")), this.host.timeout);
      this.moved = this.host.now();
    };
    progress();
    try {
      const { url, headers } = this.request();
      const answer = await this.host.fetch(url, { headers, signal: abort.signal, redirect: "manual" });
      if (answer.status !== 200 && answer.status !== 304) throw new Error(`status ${answer.status}`);
      await this.load(answer, progress);
    } finally {
      clearTimeout(timer);
    }
  }
}

// Keys is the issuer's key set.
class Keys extends Document {
  text = undefined;

  request() {
    return { url: this.url, headers: this.etag ? { "If-None-Match": this.etag } : {} };
  }

  async load(answer, progress) {
    if (answer.status === 304) return;
    const text = new TextDecoder().decode(await readAll(answer.body, MAX_KEYS, progress));
    // An error page does not replace the keys.
    if (!(JSON.parse(text)?.keys?.length > 0)) throw new Error("there is no key in it");
    this.text = text;
    this.host.changed();
    this.etag = answer.headers.get("ETag");
  }
}

// Feed is the issuer's feed of revocations. The guest keeps its content.
class Feed extends Document {
  whole = -Infinity; // the time of the last whole list
  refused = false; // whether the guest refused the last document

  // request asks for what changed since the feed in use, or for the whole list.
  request() {
    const url = new URL(this.url);
    const cursor = this.known && !this.refused && this.since(this.whole) < WHOLE ? this.host.cursor() : "";
    if (cursor) url.searchParams.set("since", cursor);
    this.delta = cursor !== "";
    return { url: url.href, headers: { "Accept-Encoding": "gzip" } };
  }

  async fetch() {
    if (this.keys && !this.keys.known) await this.keys.refresh();
    return super.fetch();
  }

  // load passes the feed to the guest part by part. Between two parts of a long list
  // other requests are served.
  async load(answer, progress) {
    let last, parts = 0;
    for await (const part of lines(await unpacked(answer.body), progress)) {
      if (++parts > MAX_PARTS) throw new Error(`more than ${MAX_PARTS} parts`);
      last = this.host.take(part);
      this.refused = last === REFUSED;
      if (this.refused) throw new Error("the guest refused it");
      if (last === NOT_NEWER) break;
      if (last === PARTIAL) await this.pause();
    }
    if (last !== IN_FORCE && last !== NOT_NEWER) throw new Error("it is incomplete");
    if (last === IN_FORCE && !this.delta) this.whole = this.host.now();
  }

  // pause lets requests in, which do not wait for the rest of a long list if there
  // is a feed in use.
  pause() {
    if (this.known) this.release();
    return new Promise((resolve) => setTimeout(resolve));
  }
}

/** Keeps the documents of an issuer up to date. */
export class Published {
  /**
   * - keysURL, revocationsURL: either may be missing
   * - keysInterval, revocationsInterval, timeout: milliseconds
   * - take: passes a part of the feed to the guest, and returns its progress
   * - cursor: returns the guest's cursor
   * - fetch, now, log
   */
  constructor({ keysURL, revocationsURL, keysInterval, revocationsInterval, ...host }) {
    host.changed = () => void this.version++;
    this.keys = keysURL && new Keys(keysURL, keysInterval, host);
    this.feed = revocationsURL && new Feed(revocationsURL, revocationsInterval, host);
    if (this.feed) this.feed.keys = this.keys;
    this.documents = [this.keys, this.feed].filter(Boolean);
  }

  version = 0; // changes with the keys

  /** Reports whether there are keys. */
  get complete() {
    return !this.keys || this.keys.text !== undefined;
  }

  /**
   * Starts fetching documents that are due, to be called for each request. It
   * returns a promise if the request has to wait. The fetches are passed to later,
   * if it is set.
   */
  prepare(later) {
    const waits = [];
    for (const document of this.documents) {
      if (document.due()) {
        const done = document.refresh();
        later?.(done);
      }
      if (document.running && document.tooOld()) waits.push(document.wait);
    }
    return waits.length > 0 ? Promise.all(waits) : undefined;
  }
}

// readAll reads a body of limited length.
async function readAll(body, limit, progress) {
  let all = new Uint8Array(0);
  for await (const chunk of chunks(body, progress)) {
    all = joined(all, chunk);
    if (all.length > limit) throw new Error(`more than ${limit} bytes`);
  }
  return all;
}

// lines yields the lines of a body, each of limited length.
async function* lines(body, progress) {
  let rest = new Uint8Array(0);
  for await (const chunk of chunks(body, progress)) {
    let start = 0;
    for (let end; (end = chunk.indexOf(10, start)) >= 0; start = end + 1) {
      yield joined(rest, chunk.subarray(start, end));
      rest = new Uint8Array(0);
    }
    rest = joined(rest, chunk.subarray(start));
    if (rest.length > MAX_PART) throw new Error(`a part has more than ${MAX_PART} bytes`);
  }
  if (rest.length > 0) yield rest;
}

async function* chunks(body, progress) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      progress();
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {}); // it is complete or not needed
  }
}

function joined(a, b) {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

// unpacked returns a body without its compression. Some hosts have removed it, some
// do not if a request names the codings that it accepts; the first byte tells.
async function unpacked(body) {
  const reader = body.getReader();
  let first = await reader.read();
  const compressed = first.value?.[0] === 0x1f;
  const stream = new ReadableStream({
    async pull(controller) {
      const { done, value } = first ?? (await reader.read());
      first = undefined;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return compressed ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
}
