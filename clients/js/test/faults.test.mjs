// Faults of the browser and of the network between it and the server.
import assert from 'node:assert/strict'
import test from 'node:test'
import { createAuth } from '../dist/index.js'
import { Server, Storage, api, clock, json, key, unauthorized } from './server.mjs'

const day = 24 * 3_600_000
const settled = () => new Promise(setImmediate)

/** A page with a storage, whose events the test sends. */
function open({ storage = new Storage(), server = new Server(), ...options } = {}) {
  const listeners = {}
  const before = globalThis.document
  globalThis.document = { addEventListener: (type, listener) => { listeners[type] = listener } }
  const auth = createAuth({ clientKey: 'web', api, storage, fetch: server.fetch, ...options })
  return {
    auth, server, storage, become: () => listeners.visibilitychange(), paths: () => server.calls.map((call) => call.path.replace('/v1/auth', '')),
    close: () => { globalThis.document = before },
  }
}

class FullStorage extends Storage {
  setItem() { throw new DOMException('full', 'QuotaExceededError') }
}

test('a full storage keeps the session in memory', async () => {
  const { auth, server, close } = open({ storage: new FullStorage() })
  const session = await auth.loginWithLink('secret')
  assert.equal((await auth.session()).token, session.token)
  clock.now += 8 * day
  await auth.session()
  await settled()
  assert.notEqual(auth.snapshot.token, session.token, 'the token is not refreshed')
  assert.equal(server.alive, true)
  await auth.logout()
  assert.equal(auth.snapshot, null)
  close()
})

test('a storage that becomes full does not bring back an old session', async () => {
  const { auth, storage, close } = open()
  await auth.loginWithLink('secret')
  const old = auth.snapshot.token
  storage.setItem = FullStorage.prototype.setItem
  const { token } = await auth.loginWithLink('secret')
  assert.equal((await auth.session()).token, token)
  assert.notEqual(token, old)
  assert.equal(storage.getItem(key), null, 'a reload would bring back the old token')
  close()
})

test('a page that the Back button restores shows a sign-out of another tab', async () => {
  const { auth, storage, become, close } = open()
  await auth.loginWithLink('secret')
  const got = []
  auth.onChange(({ type }) => got.push(type))
  await settled()
  storage.removeItem(key) // while the page was frozen: it gets no event
  become()
  await settled()
  assert.deepEqual(got, ['initial', 'signedOut'])
  assert.equal(auth.snapshot, null)
  close()
})

test('an effect that runs twice finishes a social login once', async () => {
  globalThis.sessionStorage = new Storage()
  globalThis.location = { href: 'https://app.example.com/', origin: 'https://app.example.com', assign: () => {} }
  const { auth, server, paths, close } = open()
  server.faults.push(() => json(200, { url: 'https://idp.example/', state: 's1' }))
  await auth.startSocial('github', 'https://app.example.com/auth/callback')
  server.faults.push(() => server.grant(), () => json(400, { detail: 'x', code: 'invalid_state' }))
  const address = 'https://app.example.com/auth/callback?code=c&state=s1'
  const [one, two] = await Promise.all([auth.finishSocial(address), auth.finishSocial(address)])
  assert.equal(one.user.id, 'u1')
  assert.equal(two.token, one.token)
  assert.deepEqual(paths(), ['/social/authorize/', '/social/login/'])
  assert.equal(await auth.finishSocial(address), null)
  delete globalThis.location
  delete globalThis.sessionStorage
  close()
})

test('a page in place of an answer is not an answer', async () => {
  const portal = () => new Response('<!doctype html><title>Wi-Fi</title>', { headers: { 'Content-Type': 'text/html' } })
  const { auth, server, close } = open()
  server.faults.push(portal)
  await assert.rejects(auth.requestLink('ann@example.com'), (error) => error.code === 'network')
  server.faults.push(portal)
  await assert.rejects(auth.loginWithLink('secret'), (error) => error.code === 'network')
  await auth.loginWithLink('secret')
  const { token } = auth.snapshot
  clock.now += 8 * day
  server.faults.push(portal, portal)
  await auth.session()
  await settled()
  assert.equal(auth.snapshot.token, token)
  server.faults.length = 0
  const cookie = open({ clientKey: undefined, api: 'https://app.example.com/auth' })
  cookie.server.faults.push(() => server.login(server.mint()), portal)
  assert.ok(await cookie.auth.session())
  cookie.become()
  await settled()
  assert.ok(cookie.auth.snapshot, 'the page signs out')
  cookie.close()
  close()
})

test('a profile that arrives after another user signed in is not stored', async () => {
  const { auth, server, close } = open()
  await auth.loginWithLink('secret')
  let answer
  server.faults.push(() => new Promise((resolve) => { answer = () => resolve(json(200, { ...server.user, first_name: 'Ann' })) }))
  const asked = auth.user()
  await settled()
  server.faults.push(async () => json(200, { ...await server.grant().json(), id: 'u2', email: 'bob@example.com' }))
  await auth.loginWithLink('other')
  answer()
  assert.equal((await asked).id, 'u1')
  assert.equal(auth.snapshot.user.id, 'u2')
  close()
})

test('a clock that was ahead at the login does not delay the refresh', async () => {
  const { auth, paths, server, close } = open()
  server.faults.push(() => {
    const answer = server.grant()
    clock.now += 400 * day
    return answer
  })
  await auth.loginWithLink('secret')
  clock.now -= 400 * day
  await auth.session()
  await settled()
  assert.deepEqual(paths(), ['/by-link/login/', '/token/refresh/'])
  await auth.session()
  await settled()
  assert.deepEqual(paths(), ['/by-link/login/', '/token/refresh/'])
  assert.equal(server.alive, true)
  close()
})

test('a sign-out of the cookie that fails is not shown as one', async () => {
  const { auth, server, close } = open({ clientKey: undefined, api: 'https://app.example.com/auth' })
  server.faults.push(() => server.login(server.mint()))
  assert.ok(await auth.session())
  for (const fault of [() => { throw new TypeError('offline') }, () => json(503, {})]) {
    server.faults.push(fault)
    await assert.rejects(auth.logout())
    assert.ok(auth.snapshot, 'the page shows a sign-out, and the cookie remains')
  }
  server.faults.push(unauthorized)
  await auth.logout()
  assert.equal(auth.snapshot, null)
  close()
})
