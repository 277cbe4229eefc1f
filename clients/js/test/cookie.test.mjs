// The cookie of a site with a login page: no script has a token.
import assert from 'node:assert/strict'
import test from 'node:test'
import { createAuth } from '../dist/index.js'
import { Storage, clock, json, offline, unauthorized } from './server.mjs'

const day = 24 * 3_600_000
const site = 'https://app.example.com'

/** A site with a login page; all pages share its cookie, the time at which it ends. */
class Site {
  calls = []
  faults = []
  cookie = null
  lifetime = 14 * day
  user = { id: 'u1', username: 'ann', first_name: '', last_name: '', email: 'ann@example.com', email_verified: true, avatar_url: '' }

  fetch = async (input, init) => {
    const request = new Request(input, init)
    const { pathname } = new URL(request.url)
    const text = await request.text()
    const call = { path: pathname.replace('/auth', ''), body: text && JSON.parse(text), token: request.headers.get('Authorization') }
    this.calls.push(call)
    return this.faults.shift()?.() ?? this.answer(request.method, call)
  }

  answer(method, { path }) {
    const alive = this.cookie > clock.now
    switch (method + ' ' + path) {
      case 'GET /session/': return alive ? this.session() : new Response(null, { status: 204 })
      case 'POST /by-link/link/': return json(200, { email: '', expires_in: 900, request_id: 'r1' })
      case 'POST /by-link/login/': return this.signIn()
      case 'POST /social/authorize/': return json(200, { url: 'https://idp.example/', state: 's' })
      case 'POST /token/refresh/': return !alive ? unauthorized() : this.cookie - clock.now < this.lifetime / 2 ? this.signIn() : this.session()
      case 'POST /logout/': this.cookie = null; return new Response(null, { status: alive ? 204 : 401 })
      default: return alive ? json(200, this.user) : unauthorized()
    }
  }
  signIn() {
    this.cookie = clock.now + this.lifetime
    return this.session()
  }
  session() {
    return json(200, { ...this.user, token: '', is_new: false, expires_at: new Date(this.cookie).toISOString() })
  }
}

function open(server = new Site(), storage = new Storage()) {
  const auth = createAuth({ api: site + '/auth', storage, fetch: server.fetch, origins: [site] })
  return { auth, server, storage, paths: () => server.calls.map((call) => call.path) }
}

test('a page asks once who is signed in', async () => {
  const { auth, server, paths } = open()
  assert.equal(await auth.session(), null)
  assert.equal(await auth.session(), null)
  assert.deepEqual(paths(), ['/session/'])
  const next = open(server)
  server.signIn() // on the login page
  const session = await next.auth.session()
  assert.equal(session.user.email, 'ann@example.com')
  assert.equal(session.token, '')
})

test('the first event contains the answer', async () => {
  const { auth, server } = open()
  server.signIn()
  const got = []
  auth.onChange(({ type, session }) => got.push([type, session?.user.id]))
  await auth.session()
  await new Promise(setImmediate)
  assert.deepEqual(got, [['initial', 'u1']])
})

test('login and requests have neither a token nor a client key', async () => {
  const { auth, server } = open()
  await auth.requestLink('ann@example.com')
  await auth.loginWithCode('123456')
  await auth.fetch(site + '/orders', { method: 'POST', body: '{}' })
  assert.deepEqual(server.calls, [
    { path: '/by-link/link/', body: { email: 'ann@example.com', return_to: '/' }, token: null },
    { path: '/by-link/login/', body: { request_id: 'r1', code: '123456' }, token: null },
    { path: '/session/', body: '', token: null },
    { path: '/orders', body: {}, token: null },
  ])
})

test('a provider returns to a page of the site', async () => {
  const gone = []
  globalThis.location = { href: site + '/', origin: site, assign: (url) => gone.push(url) }
  const { auth, server } = open()
  await auth.startSocial('github', site + '/orders?page=2')
  assert.deepEqual(server.calls.at(-1).body, { provider: 'github', link: false, return_to: '/orders?page=2' })
  assert.deepEqual(gone, ['https://idp.example/'])
  delete globalThis.location
})

test('the cookie is renewed in the second half of its life', async () => {
  const { auth, server, paths } = open()
  server.signIn()
  const before = (await auth.session()).expiresAt
  clock.now += 8 * day
  await auth.fetch(site + '/orders')
  await new Promise(setImmediate)
  assert.deepEqual(paths(), ['/session/', '/token/refresh/', '/orders'])
  assert.ok(auth.snapshot.expiresAt > before, 'the end has not moved')
})

test('pages that are opened again and again renew, too', async () => {
  const { server, storage } = open()
  server.signIn()
  for (let n = 0; n < 20; n++) {
    const { auth } = open(server, storage)
    await auth.session()
    await new Promise(setImmediate)
    auth.close()
    clock.now += day
  }
  assert.ok(server.cookie > clock.now, 'the cookie expired')
})

test('a 401 is believed if the server knows no session', async () => {
  const { auth, server } = open()
  server.signIn()
  await auth.session()
  server.faults.push(unauthorized)
  assert.equal((await auth.fetch(site + '/orders')).status, 200)
  assert.ok(auth.snapshot)
  server.cookie = null // the session was ended elsewhere
  assert.equal((await auth.fetch(site + '/orders')).status, 401)
  assert.equal(auth.snapshot, null)
})

test('neither a network error nor 503 signs out', async () => {
  for (const fault of [offline, () => json(503, {})]) {
    const { auth, server, storage } = open()
    server.signIn()
    await auth.session()
    const next = open(server, storage).auth
    server.faults.push(fault)
    assert.equal((await next.session()).user.id, 'u1')
    clock.now += 8 * day
    server.faults.push(fault, fault)
    await next.session()
    await new Promise(setImmediate)
    assert.ok(next.snapshot, 'the session is gone')
  }
})

test('logout ends the session also if this page never asked', async () => {
  const { auth, server } = open()
  server.signIn()
  await auth.logout()
  assert.equal(server.cookie, null)
  await auth.logout() // without a session
})

test('a refresh that is answered after a logout does not sign in again', async () => {
  const { auth, server } = open()
  server.signIn()
  await auth.session()
  clock.now += 8 * day
  let answer
  server.faults.push(() => new Promise((resolve) => { answer = () => resolve(server.signIn()) }))
  await auth.session() // refreshes in the background
  await new Promise(setImmediate)
  await auth.logout()
  answer()
  await new Promise(setImmediate)
  assert.equal(auth.snapshot, null)
})

test('a clock that is a year ahead does not refresh all the time', async () => {
  const server = new Site()
  const { auth, paths } = open(server)
  server.signIn()
  server.cookie -= 365 * day // by the clock of the server
  const session = server.session.bind(server)
  server.session = () => {
    const answer = session()
    answer.headers.set('Date', new Date(clock.now - 365 * day).toUTCString())
    return answer
  }
  server.answer = () => server.session()
  for (let n = 0; n < 5; n++) await auth.fetch(site + '/orders')
  await new Promise(setImmediate)
  assert.equal(paths().filter((path) => path === '/token/refresh/').length, 0)
  assert.ok(auth.snapshot.expiresAt > new Date(clock.now + 13 * day), 'the end is not by the clock of the browser')
})

test('a refresh that was not needed is not repeated with each call', async () => {
  const { auth, server, paths } = open()
  server.signIn()
  await auth.session()
  clock.now -= 10 * day // the clock was corrected
  for (let n = 0; n < 5; n++) {
    await auth.session()
    await new Promise(setImmediate)
  }
  assert.deepEqual(paths(), ['/session/', '/token/refresh/'])
})
