/**
 * Verifies login tokens and assertions of edgeauth without a request for each.
 *
 *     const edge = await createVerifier({ api: 'https://api.example.com/v1/auth' })
 *     app.use(edge.middleware)               // Express, Connect: request.user
 *     const claims = await edge.verify(token)
 */
import { createHash } from 'node:crypto'
import { createLocalJWKSet, errors, jwtVerify } from 'jose'

const algorithms = ['EdDSA', 'Ed25519', 'ES256', 'RS256']

/** A request that may not proceed: 401, or 503 while the edge cannot be reached. */
export class Refused extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/**
 * Reads the keys and, for login tokens, the revocations, and keeps them up to date until
 * `close`. With `assertion: true` it verifies the header X-Auth-Assertion; the edge has
 * checked the session then, and there are no revocations to read.
 *
 * @param {{api: string, issuer?: string, audience?: string, assertion?: boolean, interval?: number, maxAge?: number}} options
 *   api: the address of the login API. audience: by default the issuer; of an assertion the
 *   name in the Caddyfile. interval: milliseconds between two looks at the revocations.
 *   maxAge: age of the revocations in milliseconds from which on all requests are refused.
 */
export async function createVerifier(options) {
  const { issuer = 'edgeauth', assertion = false, interval = 5_000, maxAge = 300_000 } = options
  const { audience = issuer } = options
  const api = options.api.replace(/\/*$/, '/')
  const feed = { cursor: '', issued: 0, users: new Map(), sessions: new Map(), roles: new Map() }
  let keys

  async function get(path) {
    const answer = await fetch(api + path, { signal: AbortSignal.timeout(10_000) })
    if (!answer.ok) throw new Error(`GET ${path} = ${answer.status}`)
    return answer
  }
  async function loadKeys() {
    keys = createLocalJWKSet(await (await get('.well-known/jwks.json')).json())
  }
  /** Reads what changed, or everything. A document is one or more signed parts, a line each. */
  async function loadRevocations() {
    const text = await (await get('revocations/' + (feed.cursor && '?since=' + encodeURIComponent(feed.cursor)))).text()
    const parts = []
    for (const line of text.trim().split('\n')) {
      parts.push((await jwtVerify(line, keys, { issuer, typ: 'revocations+jwt', algorithms })).payload)
    }
    const [{ iat, cursor, delta, since }] = parts
    if (parts.length !== parts[0].parts || parts.some((part, i) => part.part !== i + 1 || part.cursor !== cursor)) {
      throw new Error('the revocations are incomplete')
    }
    if (iat <= feed.issued) return // from a node that is a second behind
    if (delta && since !== feed.cursor) {
      feed.cursor = '' // everything, next time
      return
    }
    for (const name of ['users', 'sessions', 'roles']) {
      if (!delta) feed[name] = new Map()
      for (const part of parts) apply(feed[name], Buffer.from(part[name], 'base64url'), iat, name === 'roles')
    }
    Object.assign(feed, { cursor, issued: iat })
  }

  /** The claims of a login token or assertion. */
  async function verify(token) {
    if (!assertion && Date.now() - feed.issued * 1000 > maxAge) throw new Refused(503, 'The revocations are too old.')
    let claims
    try {
      // Without typ, another kind of token would pass as a login.
      const typ = assertion ? 'assertion+jwt' : 'login+jwt'
      claims = (await jwtVerify(token, keys, { issuer, audience, typ, algorithms, requiredClaims: ['sub', 'exp'] })).payload
    } catch (error) {
      throw error instanceof errors.JOSEError ? new Refused(401, 'Invalid token.') : error
    }
    if (isListed(feed.users, claims.sub) || isListed(feed.sessions, claims.sid)) throw new Refused(401, 'Invalid token.')
    // Roles that changed after the token was issued; the clocks may differ by a minute.
    const change = feed.roles.size > 0 && feed.roles.get(hash(claims.sub))
    return change && claims.iat <= change.at + 60 ? { ...claims, roles: change.roles } : claims
  }

  /** The claims of a request of node:http or of the Fetch API, or null if it has no token. */
  async function user({ headers }) {
    const header = (name) => (typeof headers.get === 'function' ? headers.get(name) : headers[name]) ?? ''
    const token = assertion ? header('x-auth-assertion') : /^token +(\S+)$/i.exec(header('authorization'))?.[1]
    return token ? verify(token) : null
  }

  /** Sets request.user, or answers 401 or 503. */
  function middleware(request, response, next) {
    user(request).then((claims) => {
      if (!claims) throw new Refused(401, 'Authentication credentials were not provided.')
      request.user = claims
    }).then(() => next(), (error) => { // what next throws is not ours to answer
      if (!(error instanceof Refused)) return next(error)
      const headers = { 'Content-Type': 'application/json', ...error.status === 401 ? { 'WWW-Authenticate': 'Token' } : { 'Retry-After': '5' } }
      response.writeHead(error.status, headers).end(JSON.stringify({ detail: error.message }))
    })
  }

  await loadKeys()
  if (!assertion) await loadRevocations()
  // Keys and revocations in use stay in use when a look fails, and grow old.
  const report = (error) => console.error('edgeauth:', error.message)
  const timers = [setInterval(() => loadKeys().catch(report), 600_000)]
  if (!assertion) timers.push(setInterval(() => loadRevocations().catch(report), interval))
  timers.forEach((timer) => timer.unref())
  return { verify, user, middleware, close: () => timers.forEach(clearInterval) }
}

const hash = (id) => createHash('sha256').update(id).digest().toString('hex', 0, 8)

/**
 * Adds a list: 8 bytes of the hash of an ID, and the end of the entry. An end of 0 lifts an
 * entry. Entries of roles have in addition the time of the change, the length of the names
 * in 2 bytes, and the names.
 */
function apply(entries, list, now, withRoles) {
  for (let i = 0; i + 12 <= list.length;) {
    const id = list.toString('hex', i, i + 8), end = list.readUInt32BE(i + 8), entry = { end }
    i += 12
    if (withRoles) {
      const names = i + 6, next = names + list.readUInt16BE(i + 4)
      Object.assign(entry, { at: list.readUInt32BE(i), roles: list.toString('latin1', names, next).split(',').filter(Boolean) })
      i = next
    }
    if (end) entries.set(id, entry)
    else entries.delete(id)
  }
  for (const [id, { end }] of entries) if (end < now - 60) entries.delete(id)
}

const isListed = (entries, id) => !!id && entries.size > 0 && entries.has(hash(id))
