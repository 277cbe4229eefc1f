// What an issuer publishes for those who verify tokens by themselves: its public
// keys and what is revoked. Both are read again from time to time, and the guest
// checks what they say. There are no timers, for some hosts have none: a request
// that comes when it is time has it done, and waits only when what is there is
// too old.

// How long they may be, in bytes.
const KEYS = 1 << 20, REVOCATIONS = 32 << 20;

// How long to wait after a failure, in milliseconds.
const RETRY = 5000;

// The shortest time between two questions for the keys when one is missing, and how
// long a key counts as one that there is not, in milliseconds. Its ID is a hash of
// the key, so nobody can ask for it before it is made.
const LEARN = 1000, ABSENT = 60000;

// How many keys that there are not are remembered, and how many requests wait for
// the keys. Anybody can make up an ID.
const MAX_ABSENT = 4096, MAX_WAITING = 1024;

// On some hosts what a request has begun ends with that request, unsaid. After so
// many timeouts it is begun again.
const LOST = 2;

/** A document at a URL. */
class Document {
  text = undefined; // as it was read last

  constructor(limit, url, interval, host) {
    Object.assign(this, { limit, url, interval, host });
    this.tried = this.checked = -Infinity; // when it was asked for, and when it was last known to be current
    this.running = undefined; // the request under way
    this.failed = false; // whether the last one did
    this.ended = -Infinity; // when it ended
  }

  // since says how long ago something was: for ever, where the clock was set back.
  since(time) {
    const age = this.host.now() - time;
    return age < 0 ? Infinity : age;
  }

  due() {
    const age = this.since(this.tried);
    if (this.running) return age >= LOST * this.host.timeout;
    return age >= (this.failed ? Math.min(RETRY, this.interval) : this.interval);
  }

  // tooOld says that whoever needs it should wait for it. Where others have just
  // waited in vain, as for an issuer that hangs, what is known has to do.
  tooOld() {
    const long = 2 * this.interval;
    return this.since(this.checked) >= long && !(this.failed && this.text !== undefined && this.since(this.ended) < long);
  }

  // refresh asks for it, once at a time. It never fails: what is known stays.
  refresh() {
    if (this.running && !this.due()) return this.running;
    this.tried = this.host.now();
    const running = this.load()
      .then(() => {
        this.checked = this.host.now();
        this.failed = false;
      })
      .catch((error) => {
        this.failed = true;
        this.host.log("warn", `${this.url} could not be read, what is known stays in use: ${error.message}`);
      })
      .finally(() => {
        this.ended = this.host.now();
        if (this.running === running) this.running = undefined;
      });
    return (this.running = running);
  }

  async load() {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error("no answer in time")), this.host.timeout);
    try {
      const headers = this.etag ? { "If-None-Match": this.etag } : {};
      const answer = await this.host.fetch(this.url, { headers, signal: abort.signal, redirect: "manual" });
      if (answer.status === 304 && this.etag) return;
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
      const text = await readAll(answer, this.limit);
      this.check(text);
      this.text = text;
      this.host.changed();
      this.etag = answer.headers.get("ETag");
    } finally {
      clearTimeout(timer);
    }
  }

  check() {}
}

class Keys extends Document {
  ids = new Set();
  early = -Infinity; // when one was looked for last
  awaited = undefined; // the request that some wait for, and how many do
  waiting = 0;
  absent = new Map(); // keys that there are not, and until when that is known

  /**
   * Has the keys read again to see whether there is a key: at most once in LEARN,
   * however many keys are made up. Its promise is of true when the key is known
   * now, false when the issuer does not have it, undefined when it cannot be told
   * at this moment.
   */
  async learn(id) {
    const { now } = this.host;
    if (now() < this.absent.get(id)) return false;
    const joined = this.running && !this.due(); // that may have been asked before the key was made
    if (joined && this.running === this.awaited && this.waiting >= MAX_WAITING) return undefined;
    if (!joined) {
      if (this.since(this.early) < LEARN || (this.failed && this.since(this.tried) < RETRY)) return undefined;
      this.early = now();
    }
    const running = this.refresh();
    if (running !== this.awaited) { // those of an earlier one may never come back
      this.awaited = running;
      this.waiting = 0;
    }
    this.waiting++;
    await running;
    if (this.ids.has(id)) return true;
    if (joined || this.failed) return undefined;
    if (this.absent.size >= MAX_ABSENT) this.absent.delete(this.absent.keys().next().value);
    this.absent.set(id, now() + ABSENT);
    return false;
  }

  // check takes what can be a key set, so that an error page does not replace one.
  check(text) {
    const ids = JSON.parse(text).keys.map((key) => key.kid);
    if (ids.length === 0) throw new Error("there is no key in it");
    this.ids = new Set(ids);
  }
}

class Feed extends Document {
  // load also has the keys read when the feed is of one that is not known: the
  // guest refuses such a feed, and everybody once the one in use is too old.
  async load() {
    await super.load();
    const id = keyOf(this.text);
    if (id !== undefined && this.keys && !this.keys.ids.has(id)) await this.keys.learn(id);
  }
}

/** Keeps what an issuer publishes up to date. */
export class Published {
  /**
   * - keysURL, revocationsURL: where they are; either may be missing
   * - keysInterval, revocationsInterval, timeout: milliseconds
   * - fetch, now, log
   */
  constructor({ keysURL, revocationsURL, keysInterval, revocationsInterval, timeout, fetch, now, log }) {
    const host = { timeout, fetch, now, log, changed: () => void this.version++ };
    this.keys = keysURL && new Keys(KEYS, keysURL, keysInterval, host);
    this.revocations = revocationsURL && new Feed(REVOCATIONS, revocationsURL, revocationsInterval, host);
    if (this.revocations) this.revocations.keys = this.keys;
    this.documents = [this.keys, this.revocations].filter(Boolean);
  }

  version = 0; // changes with what is known

  /** Says whether everything was read that there is to read. */
  get complete() {
    return this.documents.every((document) => document.text !== undefined);
  }

  /** The members of the guest's configuration. */
  config() {
    return {
      ...(this.keys && { keys: this.keys.text }),
      ...(this.revocations && { revocations: this.revocations.text }),
    };
  }

  /**
   * To be called for each request. It returns a promise when the request has to
   * wait. What goes on behind it is given to later, if that is set.
   */
  prepare(later) {
    let wait;
    for (const document of this.documents) {
      if (document.due()) {
        const done = document.refresh();
        later?.(done);
      }
      if (document.running && document.tooOld()) wait = wait ? Promise.all([wait, document.running]) : document.running;
    }
    return wait;
  }

  /** A promise of what was asked for and has not come yet, if there is anything. */
  get coming() {
    const running = this.documents.map((document) => document.running).filter(Boolean);
    return running.length > 0 ? Promise.all(running) : undefined;
  }

  /**
   * When the token in some headers names a key that is not known, a promise of
   * whether it is known now; see Keys.learn. Otherwise, and when the token has
   * expired, so that no key makes it good, undefined.
   */
  learnKey(headers) {
    const authorization = headers.find(([name]) => name === "authorization")?.[1] ?? "";
    const token = /^\s*token\s+(.*)/i.exec(authorization)?.[1];
    const id = this.keys && keyOf(token);
    if (id === undefined || this.keys.ids.has(id)) return undefined;
    const ends = read(PAYLOAD, token)?.exp;
    return ends > Math.floor(this.keys.host.now() / 1000) ? this.keys.learn(id) : undefined;
  }
}

// The first two parts of a token or a feed. Nothing is decided by what they say.
const HEADER = /^([\w-]{1,1024})\./, PAYLOAD = /^[\w-]{1,1024}\.([\w-]{1,8192})\./;

// keyOf returns the "kid" of a token or a feed, or undefined.
function keyOf(text) {
  const kid = read(HEADER, text)?.kid;
  return typeof kid === "string" ? kid : undefined;
}

// read returns a part of a token or a feed, or undefined.
function read(part, text) {
  try {
    return JSON.parse(atob(part.exec(text)[1].replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return undefined;
  }
}

async function readAll(answer, limit) {
  const parts = [];
  let length = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    if ((length += value.length) > limit) {
      await reader.cancel();
      throw new Error(`more than ${limit} bytes`);
    }
    parts.push(value);
  }
  const data = new Uint8Array(length);
  parts.reduce((position, part) => (data.set(part, position), position + part.length), 0);
  return new TextDecoder().decode(data);
}
