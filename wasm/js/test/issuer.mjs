// An issuer for tests: it signs tokens and the feed of revocations, and publishes
// its keys.

import { createHash, generateKeyPairSync, sign } from "node:crypto";
import http from "node:http";
import { once } from "node:events";

export const NAME = "edgeauth";

const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

class Key {
  constructor(id) {
    this.id = id;
    this.pair = generateKeyPairSync("ed25519");
  }

  sign(typ, payload) {
    const input = `${base64url({ alg: "EdDSA", kid: this.id, typ })}.${base64url(payload)}`;
    return `${input}.${sign(null, input, this.pair.privateKey).toString("base64url")}`;
  }

  public() {
    return { ...this.pair.publicKey.export({ format: "jwk" }), use: "sig", alg: "EdDSA", kid: this.id };
  }
}

export class Issuer {
  keys = [new Key("key-1")];
  sessions = new Set(); // revoked ones
  clock = Date.now;

  static async start() {
    const issuer = new Issuer();
    issuer.server = http.createServer((request, answer) => issuer.answer(request, answer));
    issuer.server.listen(0, "127.0.0.1");
    await once(issuer.server, "listening");
    issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
    return issuer;
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  rotate() {
    this.keys.push(new Key(`key-${this.keys.length + 1}`));
  }

  token({ key = this.keys.at(-1), typ = "login+jwt", ...claims } = {}) {
    const now = Math.floor(this.clock() / 1000);
    return key.sign(typ, {
      iss: NAME, aud: NAME, sub: "user-1", jti: `token-${Math.random()}`, sid: "session-1", client_id: "web", method: "link",
      iat: now - 1, exp: now + 3600, auth_time: now - 1, email: "ada@example.com", email_verified: true, ...claims,
    });
  }

  feed() {
    const now = Math.floor(this.clock() / 1000);
    const hashes = [...this.sessions].map((id) => createHash("sha256").update(id).digest().subarray(0, 8)).sort(Buffer.compare);
    return this.keys[0].sign("revocations+jwt", {
      iss: NAME, iat: now, exp: now + 3600, users: "", sessions: Buffer.concat(hashes).toString("base64url"), tokens: "",
    });
  }

  keySet() {
    return JSON.stringify({ keys: this.keys.map((key) => key.public()) });
  }

  down = false;

  answer(request, answer) {
    if (this.down) return void answer.writeHead(503).end();
    answer.end(request.url.endsWith("/jwks.json") ? this.keySet() : this.feed());
  }
}
