// Verifies assertions with Node's own crypto: `verify` for EdDSA, ES256 and RS256.
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const curves = { EdDSA: "Ed25519", ES256: "P-256" };

// jwks is the parsed key set. Fetch it again as Cache-Control requires.
export function verifyAssertion(assertion, jwks, issuer, audience, now = Date.now() / 1000) {
  const [head, body, signature, more] = assertion.split(".");
  if (!signature || more !== undefined) throw new Error("not a token");
  const header = JSON.parse(Buffer.from(head, "base64url"));
  const jwk = jwks.keys.find((key) => key.kid === header.kid);
  // The key decides about the algorithm, and typ about the purpose.
  if (!jwk || header.alg !== jwk.alg || header.typ !== "assertion+jwt") throw new Error("unknown key or purpose");
  if (jwk.crv !== curves[jwk.alg]) throw new Error("unknown curve");
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  const digest = jwk.alg === "EdDSA" ? null : "sha256";
  if (!verify(digest, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))) throw new Error("bad signature");
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  if (claims.iss !== issuer || claims.aud !== audience || !(now < claims.exp) || !claims.sub) throw new Error("bad claims");
  return claims;
}

if (process.argv[2]) {
  const [, , url, issuer, audience] = process.argv;
  const jwks = await (await fetch(url)).json();
  console.log(verifyAssertion(readFileSync(0, "utf8").trim(), jwks, issuer, audience).sub);
}
