// An issuer for tests: it signs tokens and the feed of revocations, and publishes its
// keys.

import { createHash, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import http from "node:http";
import { once } from "node:events";
import { gzipSync } from "node:zlib";

export const NAME = "edgeauth";

const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

class Key {
  constructor(id) {
    this.id = id;
    // Not export() of a generated key: in Node 20 a garbage collection at that moment waits
    // for ever for the lock of the key.
    const encoding = { format: "jwk" };
    const { publicKey, privateKey } = generateKeyPairSync("ed25519", { publicKeyEncoding: encoding, privateKeyEncoding: encoding });
    this.publicKey = publicKey;
    this.privateKey = createPrivateKey({ key: privateKey, format: "jwk" });
  }

  sign(typ, payload) {
    const input = `${base64url({ alg: "EdDSA", kid: this.id, typ })}.${base64url(payload)}`;
    return `${input}.${sign(null, input, this.privateKey).toString("base64url")}`;
  }

  public() {
    return { ...this.publicKey, use: "sig", alg: "EdDSA", kid: this.id };
  }
}

export class Issuer {
  keys = [new Key("key-1")];
  signer = 0; // the position of the key that signs
  changes = []; // revocations of sessions: { id, until, at }
  partSize = 1000; // entries in a part of the feed
  clock = Date.now;

  static async start() {
    const issuer = new Issuer();
    issuer.server = http.createServer({ keepAliveTimeout: 0 }, (request, answer) => issuer.answer(request, answer));
    issuer.server.listen(0, "127.0.0.1");
    await once(issuer.server, "listening");
    issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
    return issuer;
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  get now() {
    return Math.floor(this.clock() / 1000);
  }

  // publish adds a key that does not sign yet.
  publish() {
    this.keys.push(new Key(`key-${this.keys.length + 1}`));
  }

  revoke(...ids) {
    for (const id of ids) this.changes.push({ id, until: this.now + 7200, at: this.now });
  }

  lift(id) {
    this.changes.push({ id, until: 0, at: this.now });
  }

  token({ key = this.keys[this.signer], typ = "login+jwt", ...claims } = {}) {
    const { now } = this;
    return key.sign(typ, {
      iss: NAME, aud: NAME, sub: "user-1", jti: `token-${Math.random()}`, sid: "session-1", client_id: "web", method: "link",
      iat: now - 1, exp: now + 3600, auth_time: now - 1, email: "ada@example.com", email_verified: true, ...claims,
    });
  }

  /** Returns a document of the feed: the full list, or what changed since a cursor. */
  feed(since) {
    const { now } = this;
    const entries = new Map();
    for (const { id, until, at } of this.changes) if (!since || at >= Number(since) - 120) entries.set(id, until);
    if (!since) for (const [id, until] of entries) if (until === 0) entries.delete(id);
    const list = [...entries].map(([id, until]) => {
      const entry = Buffer.alloc(12);
      createHash("sha256").update(id).digest().copy(entry, 0, 0, 8);
      entry.writeUInt32BE(until, 8);
      return entry;
    });
    list.sort(Buffer.compare);
    const parts = Math.max(1, Math.ceil(list.length / this.partSize));
    return Array.from({ length: parts }, (_, i) => this.keys[this.signer].sign("revocations+jwt", {
      iss: NAME, iat: now, exp: now + 3600, cursor: String(now), ...(since && { delta: true, since }), part: i + 1, parts,
      users: "", roles: "", sessions: Buffer.concat(list.slice(i * this.partSize, (i + 1) * this.partSize)).toString("base64url"),
    })).join("\n");
  }

  keySet() {
    return JSON.stringify({ keys: this.keys.map((key) => key.public()) });
  }

  down = false;

  answer(request, answer) {
    const url = new URL(request.url, "http://issuer");
    if (this.down) return void answer.writeHead(503).end();
    if (url.pathname.endsWith("/jwks.json")) return void answer.end(this.keySet());
    const feed = this.feed(url.searchParams.get("since"));
    if (!/\bgzip\b/.test(request.headers["accept-encoding"])) return void answer.end(feed);
    answer.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync(feed));
  }
}
