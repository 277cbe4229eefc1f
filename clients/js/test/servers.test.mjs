// The helper for servers in Node, without a server.
import assert from 'node:assert/strict'
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import test, { after, before } from 'node:test'
import { SignJWT, importJWK } from 'jose'

// Next to the modules of this package.
const copy = new URL('../dist/server-helper.mjs', import.meta.url)
let createVerifier, Refused, sign, edge
globalThis.crypto ??= webcrypto // Node 18, that of Debian 12, has it in the module only
const fetchBefore = globalThis.fetch

before(async () => {
  writeFileSync(copy, readFileSync(new URL('../../node/edgeauth.mjs', import.meta.url)))
  ;({ createVerifier, Refused } = await import(copy))
  // Not exportJWK() of a generated key: in Node 20 a garbage collection at that moment waits
  // for ever for the lock of the key.
  const encoding = { format: 'jwk' }
  const pair = generateKeyPairSync('ed25519', { publicKeyEncoding: encoding, privateKeyEncoding: encoding })
  const privateKey = await importJWK(pair.privateKey, 'EdDSA')
  const jwk = { ...pair.publicKey, kid: 'k', alg: 'EdDSA' }
  globalThis.fetch = async () => Response.json({ keys: [jwk] })
  sign = (claims = {}) => new SignJWT({ sub: 'u1', ...claims }).setProtectedHeader({ alg: 'EdDSA', kid: 'k', typ: 'assertion+jwt' })
    .setIssuer('edgeauth').setAudience('orders').setExpirationTime('1m').sign(privateKey)
  edge = await createVerifier({ api: 'https://api.example.com/v1/auth', audience: 'orders', assertion: true })
})
after(() => {
  edge.close()
  globalThis.fetch = fetchBefore
  rmSync(copy)
})

test('requests of node:http and of the Fetch API', async () => {
  const assertion = await sign()
  assert.equal((await edge.user({ headers: { 'x-auth-assertion': assertion } })).sub, 'u1')
  assert.equal((await edge.user(new Request('https://a.example/', { headers: { 'X-Auth-Assertion': assertion } }))).sub, 'u1')
  assert.equal(await edge.user({ headers: { authorization: 'Token ' + assertion } }), null)
  assert.equal(await edge.user(new Request('https://a.example/')), null)
})

test('malformed and repeated headers are refused', async () => {
  const assertion = await sign()
  const part = (text) => Buffer.from(text).toString('base64url')
  for (const value of [
    `${assertion}, ${assertion}`, 'a.b.c', part('['.repeat(100_000)) + '.e30.AAAA', part('{"alg":"EdDSA","kid":["k"]}') + '.e30.AAAA',
    part('{"alg":"none","kid":"k","typ":"assertion+jwt"}') + '.' + assertion.split('.')[1] + '.', [assertion], { length: 1 }, 7,
  ]) {
    await assert.rejects(edge.user({ headers: { 'x-auth-assertion': value } }), (error) => error instanceof Refused && error.status === 401, String(value).slice(0, 40))
  }
})

test('an error of the application is not answered twice', async () => {
  const request = { headers: { 'x-auth-assertion': await sign() } }
  const calls = []
  const listeners = process.listeners('unhandledRejection') // those of the test runner
  process.removeAllListeners('unhandledRejection')
  const thrown = new Promise((resolve) => process.once('unhandledRejection', resolve))
  edge.middleware(request, {}, (error) => {
    calls.push(error)
    throw new Refused(401, 'of the application')
  })
  assert.equal((await thrown).message, 'of the application')
  for (const listener of listeners) process.on('unhandledRejection', listener)
  assert.deepEqual(calls, [undefined])
  assert.equal(request.user.sub, 'u1')
})

test('a request without an assertion is answered', async () => {
  const got = await new Promise((resolve) => edge.middleware({ headers: {} }, {
    writeHead(status, headers) {
      return { end: (body) => resolve([status, headers['WWW-Authenticate'], JSON.parse(body).detail]) }
    },
  }, resolve))
  assert.deepEqual(got, [401, 'Token', 'Authentication credentials were not provided.'])
})
