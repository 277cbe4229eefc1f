// A login API in memory, for tests of the client: sessions, refreshes with grace and
// reuse detection as the server defines them, and faults on demand.
export const key = 'edgeauth:https://api.example.com/v1/auth/'
export const api = 'https://api.example.com/v1/auth'

/** A storage that several clients share, as tabs do. */
export class Storage {
  items = new Map()
  getItem(name) { return this.items.get(name) ?? null }
  setItem(name, value) { this.items.set(name, value) }
  removeItem(name) { this.items.delete(name) }
}

/** A clock of the test, in milliseconds. */
export const clock = { now: Date.parse('2030-01-01T00:00:00Z') }
Date.now = () => clock.now

// Without locks, as in Node 20, a refresh ends within a turn of the event loop, for which the
// tests wait. Tests in a browser use locks.
if (globalThis.navigator?.locks) Object.defineProperty(navigator, 'locks', { value: undefined })

export class Server {
  /** @type {{method: string, path: string, token: string | undefined, body: any}[]} */
  calls = []
  tokens = new Map()
  alive = true
  lifetime = 14 * 24 * 3600
  /** Functions that answer the next calls instead of the server. */
  faults = []
  user = { id: 'u1', username: 'ann', first_name: '', last_name: '', email: 'ann@example.com', email_verified: true, avatar_url: '' }
  serial = 0

  fetch = async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const token = request.headers.get('Authorization')?.replace(/^Token /, '')
    const text = await request.text()
    const call = { method: request.method, path: url.pathname + url.search, token, body: text && JSON.parse(text), answered: 0 }
    this.calls.push(call)
    const fault = this.faults.shift()
    const answer = await (fault ? fault(() => this.answer(call)) : this.answer(call))
    call.answered = answer.status
    return answer
  }

  answer({ path, method, token, body }) {
    const known = this.alive && this.tokens.get(token)
    switch (method + ' ' + path.replace('/v1/auth/', '')) {
      case 'POST by-link/link/': return json(200, { email: body.email, expires_in: 900, request_id: 'r1' })
      case 'POST by-link/login/':
        if (body.code === '000000') return json(400, { detail: 'The code is not valid.', code: 'invalid_code' })
        if (!body.client_key) return json(400, { client_key: ['Invalid client key.'] })
        return this.grant()
      case 'POST token/refresh/': {
        if (!known) return unauthorized()
        if (known.successor && clock.now - known.superseded <= 30_000) return this.login(known.successor)
        if (known.successor) {
          this.alive = false // reuse
          return unauthorized()
        }
        known.superseded = clock.now
        known.successor = this.mint()
        return this.login(known.successor)
      }
      case 'POST logout/': this.alive = false; return new Response(null, { status: known ? 204 : 401 })
      case 'PATCH user/': Object.assign(this.user, body) // falls through
      case 'GET user/': return known ? json(200, this.user) : unauthorized()
      default: return known ? json(200, { path }) : unauthorized()
    }
  }

  grant() {
    this.alive = true
    return this.login(this.mint())
  }
  mint() {
    const iat = Math.floor(clock.now / 1000)
    const token = ['e30', Buffer.from(JSON.stringify({ iat, exp: iat + this.lifetime, n: ++this.serial })).toString('base64url'), 's'].join('.')
    this.tokens.set(token, { exp: iat + this.lifetime + this.serial })
    return token
  }
  login(token) {
    return json(200, { ...this.user, token, is_new: false, expires_at: new Date(this.tokens.get(token).exp * 1000).toISOString() })
  }
}

export const json = (status, body, headers = {}) => new Response(JSON.stringify(body), { status, headers })
export const unauthorized = () => json(401, { detail: 'Invalid token.' }, { 'WWW-Authenticate': 'Token' })
/** An answer that is lost after the server acted. */
export const lost = async (act) => {
  await act()
  throw new TypeError('connection reset')
}
export const offline = () => {
  throw new TypeError('offline')
}
