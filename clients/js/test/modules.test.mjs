// Passkeys, API keys and second factors.
import assert from 'node:assert/strict'
import test from 'node:test'
import { AuthError, createAuth } from '../dist/index.js'
import { beginTotp, confirmTotp, forgetDevice, loginWithFactor, missingFactor, newRecoveryCodes, verifyFactor } from '../dist/factors.js'
import { createKey, keys, revokeKey } from '../dist/keys.js'
import { addPasskey, autofillAvailable, loginWithPasskey, passkeysAvailable, removePasskey, renamePasskey } from '../dist/passkeys.js'
import { Server, Storage, api, json } from './server.mjs'

function setup() {
  const server = new Server(), storage = new Storage()
  const auth = createAuth({ clientKey: 'web', api, storage, fetch: server.fetch })
  return { auth, server, storage, last: () => server.calls.at(-1) }
}

async function signedIn() {
  const made = setup()
  await made.auth.requestLink('ann@example.com')
  await made.auth.loginWithCode('123456')
  return made
}

const required = () => json(403, { detail: 'A second factor is required.', code: 'second_factor_required', challenge: 'c1', methods: ['totp'], enrol: true, remember_for: 86400 })

test('a login with a second factor', async () => {
  const { auth, server, last } = setup()
  server.faults.push(required)
  const error = await auth.loginWithLink('t').catch((error) => error)
  assert.ok(error instanceof AuthError)
  assert.deepEqual(error.fields, {})
  assert.deepEqual(missingFactor(error), { challenge: 'c1', methods: ['totp'], enrol: true, rememberFor: 86400 })
  assert.equal(missingFactor(new AuthError(403, { code: 'not_admitted' })), null)
  assert.equal(auth.snapshot, null)
  server.faults.push(async () => {
    const login = await server.grant().json()
    return json(200, { ...login, recovery_codes: ['r'], device_token: 'd1' })
  })
  const session = await loginWithFactor(auth, 'c1', { code: '1', enrolment: 'e', rememberDevice: true })
  assert.deepEqual(last().body, { challenge: 'c1', code: '1', enrolment: 'e', remember_device: true, client_key: 'web' })
  assert.deepEqual(session.recoveryCodes, ['r'])
  assert.deepEqual(auth.snapshot.user, server.user)
  await auth.logout()
  server.faults.push(() => server.grant())
  await auth.loginWithLink('t')
  assert.equal(last().body.device_token, 'd1', 'the device is not remembered')
})

test('the factors of the user', async () => {
  const { auth, server, last } = await signedIn()
  const { token } = auth.snapshot
  for (const [call, method, path, body] of [
    [() => beginTotp(auth), 'POST', 'totp/', {}],
    [() => beginTotp(auth, 'c'), 'POST', 'totp/', { challenge: 'c' }],
    [() => forgetDevice(auth), 'DELETE', 'devices/', ''],
    [() => forgetDevice(auth, 'd'), 'DELETE', 'devices/d/', ''],
  ]) {
    await call()
    assert.deepEqual([last().method, last().path, last().body, last().token], [method, '/v1/auth/factors/' + path, body, token])
  }
  server.faults.push(() => json(200, { recovery_codes: ['a', 'b'] }))
  assert.deepEqual(await newRecoveryCodes(auth), ['a', 'b'])
  for (const call of [() => confirmTotp(auth, 'e', '1'), () => verifyFactor(auth, { recoveryCode: 'x' })]) {
    const before = auth.snapshot.token
    server.faults.push(() => server.login(server.mint()))
    await call()
    assert.equal(last().token, before)
    assert.notEqual(auth.snapshot.token, before, 'the new token is not stored')
  }
})

test('API keys', async () => {
  const { auth, last } = await signedIn()
  await createKey(auth, { name: 'ci', expiresIn: 60, roles: ['deploy'] })
  assert.deepEqual(last().body, { name: 'ci', expires_in: 60, roles: ['deploy'] })
  await keys(auth)
  await revokeKey(auth, 'k/1')
  assert.deepEqual([last().method, last().path], ['DELETE', '/v1/auth/keys/k%2F1/'])
})

test('passkeys', async () => {
  assert.equal(passkeysAvailable(), false)
  assert.equal(await autofillAvailable(), false)
  const unknown = [], asked = []
  globalThis.PublicKeyCredential = class {
    static parseRequestOptionsFromJSON = (options) => options
    static parseCreationOptionsFromJSON = (options) => options
    static isConditionalMediationAvailable = async () => true
    static signalUnknownCredential = async (passkey) => void unknown.push(passkey)
  }
  const credential = { id: 'p1', toJSON: () => ({ id: 'p1' }) }
  const get = async (options) => { asked.push(options); return credential }
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { credentials: { get, create: get } } })
  try {
    assert.ok(passkeysAvailable() && await autofillAvailable())
    const { auth, server, last } = setup()
    const options = () => json(200, { challenge: 'c', rpId: 'example.com' })
    server.faults.push(options, () => json(400, { detail: 'x', code: 'unknown_passkey' }))
    await assert.rejects(loginWithPasskey(auth, { autofill: true }), (error) => error.code === 'unknown_passkey')
    assert.deepEqual(asked.at(-1), { publicKey: { challenge: 'c', rpId: 'example.com' }, mediation: 'conditional' })
    assert.deepEqual(unknown, [{ rpId: 'example.com', credentialId: 'p1' }])
    server.faults.push(options, () => server.grant())
    assert.equal((await loginWithPasskey(auth)).user.id, 'u1')
    assert.deepEqual(last().body, { credential: { id: 'p1' }, client_key: 'web' })
    server.faults.push(options, () => server.grant())
    await loginWithPasskey(auth, { challenge: 'c1', rememberDevice: true })
    assert.deepEqual([last().path, last().body],
      ['/v1/auth/factors/login/', { challenge: 'c1', credential: { id: 'p1' }, remember_device: true, client_key: 'web' }])
    server.faults.push(options)
    await addPasskey(auth, 'Phone')
    assert.deepEqual(last().body, { credential: { id: 'p1' }, name: 'Phone' })
    await renamePasskey(auth, 'p1', 'Laptop')
    server.faults.push(() => json(204), options)
    await removePasskey(auth, { id: 'p/1', credential_id: 'c2' })
    assert.deepEqual(server.calls.slice(-2).map(({ method, path }) => [method, path]),
      [['DELETE', '/v1/auth/passkeys/p%2F1/'], ['POST', '/v1/auth/passkeys/login/options/']])
    assert.deepEqual(unknown.slice(1), [{ rpId: 'example.com', credentialId: 'c2' }])
    // It is removed even if the browser cannot be told.
    server.faults.push(() => json(204), () => json(503, {}))
    await removePasskey(auth, { id: 'p1', credential_id: 'c2' })
    server.faults.push(() => json(404, { detail: 'x', code: 'not_found' }))
    await assert.rejects(removePasskey(auth, { id: 'p1', credential_id: 'c3' }), (error) => error.code === 'not_found')
    assert.equal(unknown.length, 2)
  } finally {
    delete globalThis.PublicKeyCredential
    if (before) Object.defineProperty(globalThis, 'navigator', before)
    else delete globalThis.navigator
  }
})
