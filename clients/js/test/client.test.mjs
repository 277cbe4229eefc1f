import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { AuthError, createAuth } from '../dist/index.js'
import { Server, Storage, api, clock, json, key, lost, offline, unauthorized } from './server.mjs'

const hour = 3_600_000
const day = 24 * hour

function setup(storage = new Storage(), server = new Server()) {
  const auth = createAuth({ clientKey: 'web', api, storage, fetch: server.fetch })
  return { auth, server, storage, paths: () => server.calls.map((call) => call.path.replace('/v1/auth', '')) }
}

async function signedIn(...args) {
  const all = setup(...args)
  await all.auth.loginWithLink('secret')
  all.server.calls.length = 0
  return all
}

test('login by link and by code', async () => {
  const { auth, server } = setup()
  assert.equal(await auth.session(), null)
  const { requestId } = await auth.requestLink('ann@example.com', 'de', 'solved')
  const session = await auth.loginWithCode('123456')
  assert.equal(session.user.email, 'ann@example.com')
  assert.deepEqual(server.calls.map((call) => call.body), [
    { email: 'ann@example.com', client_key: 'web', locale: 'de', captcha_response: 'solved' },
    { request_id: requestId, code: '123456', client_key: 'web' },
  ])
  assert.equal((await auth.session()).token, session.token)
})

test('errors have status, code, fields and the time to wait', async () => {
  const { auth, server } = setup()
  await assert.rejects(auth.loginWithCode('000000', 'r1'), (error) =>
    error instanceof AuthError && error.status === 400 && error.code === 'invalid_code' && error.message === 'The code is not valid.')
  server.faults.push(() => json(400, { email: ['Enter a valid email address.'] }))
  await assert.rejects(auth.requestLink('x'), (error) => error.code === undefined && error.fields.email[0] === 'Enter a valid email address.')
  server.faults.push(() => json(429, { detail: 'Request was throttled.' }, { 'Retry-After': '60' }))
  await assert.rejects(auth.requestLink('x'), (error) => error.status === 429 && error.retryAfter === 60)
  server.faults.push(() => new Response('<html>', { status: 502 }))
  await assert.rejects(auth.requestLink('x'), (error) => error.status === 502 && error.message === 'HTTP 502')
  server.faults.push(offline)
  await assert.rejects(auth.requestLink('x'), (error) => error.status === 0 && error.code === 'network')
})

test('fetch adds the token for trusted origins only', async () => {
  const { auth, server } = await signedIn()
  await auth.fetch('https://api.example.com/orders', { method: 'POST', body: '{}' })
  await auth.fetch('https://elsewhere.example/orders')
  await auth.fetch('https://api.example.com.elsewhere.example/orders')
  assert.deepEqual(server.calls.map((call) => !!call.token), [true, false, false])
})

test('fetch refreshes after half the life, without waiting', async () => {
  const { auth, server, paths } = await signedIn()
  const before = auth.snapshot.token
  clock.now += 6 * day
  await auth.fetch('https://api.example.com/orders')
  assert.deepEqual(paths(), ['/orders'])
  clock.now += 2 * day
  await auth.fetch('https://api.example.com/orders')
  await new Promise(setImmediate)
  assert.equal(paths().filter((path) => path === '/token/refresh/').length, 1)
  assert.notEqual(auth.snapshot.token, before)
  assert.equal(server.alive, true)
})

test('an expired token is refreshed first; of many calls, one refreshes', async () => {
  const { auth, paths, server } = await signedIn()
  server.lifetime = 3600
  clock.now += 15 * day
  const answers = await Promise.all(Array.from({ length: 20 }, () => auth.fetch('https://api.example.com/orders')))
  assert.ok(answers.every((answer) => answer.status === 200), 'an answer is not 200')
  assert.equal(paths().filter((path) => path === '/token/refresh/').length, 1)
})

test('a lost answer to a refresh keeps the session', async () => {
  const { auth, server } = await signedIn()
  clock.now += 8 * day
  server.faults.push(lost)
  await auth.session()
  await new Promise(setImmediate)
  clock.now += hour
  assert.equal((await auth.fetch('https://api.example.com/orders')).status, 200)
  assert.equal(server.alive, true)
})

test('a tab that ends during a refresh leaves the refresh to the next', async () => {
  const { server, storage } = await signedIn()
  clock.now += 8 * day
  server.faults.push(async (act) => {
    await act()
    return new Promise(() => {}) // the tab ends
  })
  const dying = setup(storage, server).auth
  await dying.session()
  dying.close()
  const next = setup(storage, server).auth
  clock.now += 1000
  await next.session()
  await new Promise(setImmediate)
  clock.now += day
  assert.equal((await next.fetch('https://api.example.com/orders')).status, 200)
  assert.equal(server.alive, true)
})

test('neither a network error nor 503 nor 429 signs out', async () => {
  for (const fault of [offline, () => json(503, {}), () => json(429, {}), () => json(403, { code: 'cross_site' })]) {
    const { auth, server } = await signedIn()
    clock.now += 15 * day
    server.faults.push(fault, fault)
    await assert.rejects(auth.session(), AuthError)
    server.faults.length = 0
    assert.ok(auth.snapshot, 'the session is gone')
    assert.ok(await auth.session(), 'the session is not refreshed later')
  }
})

test('a 401 is believed once the stored token is the newest', async () => {
  const { auth, server, storage } = await signedIn()
  const other = setup(storage, server).auth
  clock.now += 8 * day
  await other.session()
  await new Promise(setImmediate) // the other tab has the new token
  server.faults.push(unauthorized) // an answer to the old one
  assert.equal((await auth.fetch('https://api.example.com/orders')).status, 200)
  server.alive = false
  const answer = await auth.fetch('https://api.example.com/orders')
  assert.equal(answer.status, 401)
  assert.equal(await auth.session(), null)
  await assert.rejects(auth.user(), (error) => error.status === 401)
})

test('a 401 of the application keeps the session', async () => {
  const { auth, server, paths } = await signedIn()
  server.faults.push(() => json(401, {}, { 'WWW-Authenticate': 'Basic realm="app"' }))
  assert.equal((await auth.fetch('https://api.example.com/orders')).status, 401)
  assert.deepEqual(paths(), ['/orders'])
  assert.ok(auth.snapshot, 'the session is gone')
})

test('a body is sent again with the repetition', async () => {
  const { auth, server } = await signedIn()
  server.faults.push(unauthorized)
  await auth.fetch('https://api.example.com/orders', { method: 'POST', body: '{"n":1}' })
  assert.deepEqual(server.calls.filter((call) => call.path === '/orders').map((call) => call.body), [{ n: 1 }, { n: 1 }])
})

test('listeners get every change, also of other tabs', async () => {
  const storage = new Storage()
  const listeners = []
  globalThis.addEventListener = (type, listener) => type === 'storage' && listeners.push(listener)
  const { auth, server } = setup(storage)
  const { auth: other } = setup(storage, server)
  delete globalThis.addEventListener
  const got = []
  const stop = other.onChange(({ type, session }) => got.push([type, session?.user.first_name]))
  const spread = () => listeners.at(-1)({ key })
  await Promise.resolve()
  await auth.loginWithLink('secret')
  spread()
  spread() // without a change
  await auth.updateUser({ first_name: 'Ann' })
  spread()
  clock.now += 8 * day
  await auth.session()
  await new Promise(setImmediate)
  spread()
  await auth.logout()
  spread()
  stop()
  await auth.loginWithLink('secret')
  spread()
  assert.deepEqual(got, [['initial', undefined], ['signedIn', ''], ['userChanged', 'Ann'], ['refreshed', 'Ann'], ['signedOut', undefined]])
})

test('an older answer does not replace a newer token', async () => {
  const { auth, server, storage } = await signedIn()
  const newer = { ...JSON.parse(storage.getItem(key)), token: 'newer', exp: clock.now + 99 * day }
  clock.now += 8 * day
  server.faults.push(async (act) => {
    const answer = await act()
    storage.setItem(key, JSON.stringify(newer))
    return answer
  })
  await auth.session()
  await new Promise(setImmediate)
  assert.equal(JSON.parse(storage.getItem(key)).token, 'newer')
})

test('logout forgets the token also if the server cannot be reached', async () => {
  const { auth, server } = await signedIn()
  server.faults.push(offline)
  await assert.rejects(auth.logout(), (error) => error.code === 'network')
  assert.equal(auth.snapshot, null)
  await auth.logout() // without a session
})

test('the token of a link', () => {
  const { auth } = setup()
  assert.equal(auth.linkTokenFrom(new URL('https://a.example/auth/link/abc')), 'abc')
  assert.equal(auth.linkTokenFrom(new URL('https://a.example/auth/link/abc/')), 'abc')
  assert.equal(auth.linkTokenFrom(new URL('https://a.example/auth/link/')), null)
  assert.equal(auth.linkTokenFrom(new URL('https://a.example/')), null)
})

test('the account: address, export, deletion', async () => {
  const { auth, server, paths } = await signedIn()
  server.faults.push(() => json(200, { email: 'new@example.com', expires_in: 900, request_id: 'r2', current_code_required: true }))
  const { requestId, currentCodeRequired } = await auth.changeEmail('new@example.com')
  assert.ok(currentCodeRequired)
  server.faults.push(() => Object.assign(server.user, { email: 'new@example.com' }) && server.grant())
  assert.equal((await auth.confirmEmail(requestId, '123456', '654321')).user.email, 'new@example.com')
  assert.deepEqual(server.calls.at(-1).body, { request_id: 'r2', code: '123456', current_code: '654321', client_key: 'web' })
  assert.deepEqual(await auth.export(), { path: '/v1/auth/user/export/' })
  server.faults.push(() => new Response(null, { status: 204 }))
  await auth.deleteAccount()
  assert.equal(auth.snapshot, null)
  assert.deepEqual(paths(), ['/user/email/', '/user/email/confirm/', '/user/export/', '/user/'])
})

test('social login', async () => {
  globalThis.sessionStorage = new Storage()
  const gone = []
  globalThis.location = { href: 'https://app.example.com/', origin: 'https://app.example.com', assign: (url) => gone.push(url) }
  const { auth, server } = setup()
  const redirect = 'https://app.example.com/auth/callback'
  const begin = () => json(200, { url: 'https://idp.example/authorize', state: 's1' })
  server.faults.push(begin)
  await auth.startSocial('github', redirect)
  assert.deepEqual(gone, ['https://idp.example/authorize'])
  assert.equal(await auth.finishSocial(redirect + '?code=c&state=foreign'), null)
  server.faults.push(() => server.grant())
  const session = await auth.finishSocial(redirect + '?code=c&state=s1&iss=https://idp.example')
  assert.equal(session.user.email, 'ann@example.com')
  assert.deepEqual(server.calls.at(-1).body, {
    provider: 'github', state: 's1', redirect_uri: redirect, link: false, code: 'c', iss: 'https://idp.example', client_key: 'web',
  })
  assert.equal(await auth.finishSocial(redirect + '?code=c&state=s1'), null)
  server.faults.push(begin)
  await auth.linkSocial('github', redirect)
  assert.equal(server.calls.at(-1).token, session.token)
  await assert.rejects(auth.finishSocial(redirect + '?error=access_denied&state=s1'), (error) => error.code === 'provider_denied')
  delete globalThis.sessionStorage
  delete globalThis.location
})

test('a day with a token of an hour', async () => {
  const { auth, server } = await signedIn(new Storage(), Object.assign(new Server(), { lifetime: 3600 }))
  for (let minute = 0; minute < 24 * 60; minute++) {
    clock.now += 60_000
    assert.equal((await auth.fetch('https://api.example.com/orders')).status, 200, `minute ${minute}`)
    await new Promise(setImmediate)
  }
  assert.ok(server.calls.filter((call) => call.path.endsWith('/token/refresh/')).length >= 24, 'too few refreshes')
})
