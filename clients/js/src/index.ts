/**
 * Client for the login API of edgeauth.
 *
 * ```ts
 * const auth = createAuth({ clientKey: 'web', api: 'https://api.example.com/v1/auth' })
 * await auth.requestLink('ann@example.com')
 * await auth.loginWithCode('123456')
 * const orders = await auth.fetch('https://api.example.com/orders')
 * ```
 *
 * On a site with a login page, `createAuth({ api: '/auth' })` without a client key uses the
 * session cookie of the page: no script has a token. The calls are the same.
 *
 * Tabs share the session through the storage. A refresh invalidates no token, so requests
 * in flight succeed. Only an answer of the login API ends a session here: no network error,
 * and no answer of 5xx or 429.
 */
import type { components } from './api.js'
import type { ErrorCode } from './codes.js'

export type { ErrorCode } from './codes.js'
/** The signed-in user. */
export type User = components['schemas']['User']
/** A login of the user on some device. */
export type DeviceSession = components['schemas']['Session']
/** An account at a provider with which the user can log in. */
export type Identity = components['schemas']['Identity']
type Login = components['schemas']['FactorLogin']

/** A provider that the client offers. */
export interface Provider {
  name: string
  client_id: string
  authorize_url: string
  scope: string
  response_type: string
  response_mode?: 'form_post'
}

/** The session of this browser. */
export interface Session {
  /** Empty with the cookie, which no script reads. */
  token: string
  user: User
  /** The end of the token or the cookie. A refresh moves it. */
  expiresAt: Date
}

/** `initial` follows each call of onChange; the others are changes, in any tab. */
export type ChangeType = 'initial' | 'signedIn' | 'signedOut' | 'refreshed' | 'userChanged'
export interface Change { type: ChangeType, session: Session | null }

/** A session that just began. */
export interface NewSession extends Session {
  /** The login made the account. */
  isNew: boolean
  /** New recovery codes of a second factor, which are shown once. */
  recoveryCodes?: string[] | undefined
}

/** The body of a failed call: a failure, or messages by faulty field. */
export type Failure = Partial<components['schemas']['Failure']> & { code?: ErrorCode | 'network' }

/** The part of the Storage interface that the client uses. */
export interface TokenStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

export interface Options {
  /** The key of a `client` in the Caddyfile. Without it, the session is in the cookie of the login page. */
  clientKey?: string
  /** The address of the login API. Default: `/v1/auth`, for the cookie `/auth`. */
  api?: string
  /** Default: localStorage, which tabs share. What it refuses is kept in memory. */
  storage?: TokenStorage
  /** Default: the global fetch. */
  fetch?: typeof fetch
  /**
   * Origins that receive the token from `fetch`, in addition to those of the page and of the
   * API. Other origins never receive it.
   */
  origins?: string[]
  /** The path of the page for mailed links, up to the token. Default: `/auth/link/`. */
  linkPath?: string
}

/** A failed call. */
export class AuthError extends Error {
  /** The HTTP status, or 0 if there was no answer. */
  declare readonly status: number
  /** A code of docs/errors.md, `network` without an answer, or undefined. */
  declare readonly code: ErrorCode | 'network' | undefined
  /** Messages for faulty fields, by field. */
  declare readonly fields: Record<string, string[]>
  /** Seconds after which the call may succeed, or undefined. */
  declare readonly retryAfter: number | undefined

  /** The answer as it is, with what some codes add, such as `challenge`. */
  declare readonly body: Failure

  constructor(status: number, body: Failure, retryAfter?: number, cause?: unknown) {
    const fields = body.detail == null ? body as Record<string, string[]> : {}
    super(body.detail || Object.values(fields).flat().join(' ') || 'HTTP ' + status, { cause })
    this.name = 'AuthError'
    this.status = status
    this.code = body.code
    this.fields = fields
    this.retryAfter = retryAfter
    this.body = body
  }
}

/** What the storage holds. Times are in milliseconds by the clock of the browser. */
interface Stored { token: string, user: User, exp: number, expires: number, renew: number }

/** What a social login needs when the browser returns. */
interface Pending { provider: string, state: string, redirect_uri: string, link: boolean }

/** Codes of status 403 that end a session. */
const ended: unknown[] = ['user_inactive', 'not_admitted']

/** A client. It is valid until `close`. */
export type Auth = ReturnType<typeof createAuth>

/** Creates a client. A page needs one. */
export function createAuth(options: Options = {}) {
  const { clientKey } = options
  const page = globalThis.location as Location | undefined
  const api = new URL((options.api ?? (clientKey ? '/v1/auth' : '/auth')).replace(/\/*$/, '/'), page?.href ?? 'http://localhost') // on a server nothing is called
  const trusted = [api.origin, page?.origin, ...options.origins ?? []]
  const key = 'edgeauth:' + api.href
  const device = key + ':device'
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args))
  const storage = withMemory(() => options.storage ?? localStorage)
  const listeners = new Set<(change: Change) => void>()
  const closing = new AbortController()
  let refreshing: Promise<Stored | null> | undefined
  let asking: Promise<Stored | null> | undefined
  let finishing: Promise<NewSession | null> | undefined
  let asked = !!clientKey
  let lastRequest: string | undefined
  /** How far the clock of the browser is ahead of the server's, or NaN. */
  let ahead = NaN

  const read = (): Stored | null => {
    try {
      return JSON.parse(storage.getItem(key) ?? 'null') as Stored | null
    } catch {
      return null
    }
  }
  let known = read()
  let view = shown(known)

  /** Compares the storage with what the listeners know, and reports the difference. */
  const update = () => {
    const before = known
    const now = known = read()
    view = shown(now)
    const type: ChangeType | false = !now ? !!before && 'signedOut'
      : now.user.id !== before?.user.id ? 'signedIn'
        : id(now) !== id(before) ? 'refreshed'
          : JSON.stringify(now.user) !== JSON.stringify(before.user) && 'userChanged'
    if (type) for (const listener of listeners) listener({ type, session: view })
  }
  const write = (next: Stored | null) => {
    if (next) storage.setItem(key, JSON.stringify(next))
    else storage.removeItem(key)
    update()
    return next
  }
  /** Stores a login, or a refresh unless another tab stored a newer token or signed out. */
  const keep = ({ token, expires_at, is_new, recovery_codes, device_token, ...user }: Login, refresh?: boolean) => {
    if (device_token) storage.setItem(device, device_token)
    const exp = Date.parse(expires_at)
    const old = read()
    if (refresh && (!old || old.exp > exp)) return old
    const now = Date.now()
    const life = lifetime(token) ?? exp - now + (ahead || 0)
    // The answer to a question about the cookie does not contain its age.
    const renew = !token && !refresh && old?.exp == exp ? old.renew : now + life / 2
    return write({ token, user, exp, expires: now + life, renew })!
  }

  const call = async <T>(method: string, path: string, body?: unknown, token?: string): Promise<T> => {
    let response: Response, answer
    try {
      response = await send(new URL(path, api), {
        method,
        headers: { ...body ? { 'Content-Type': 'application/json' } : {}, ...token ? { Authorization: 'Token ' + token } : {} },
        signal: AbortSignal.timeout(20_000),
        ...body ? { body: JSON.stringify(body) } : {},
      })
      ahead = Date.now() - Date.parse(response.headers.get('Date')!)
      // Neither half an answer nor the page of a portal is a success.
      answer = response.status == 204 ? {} : await response.json().catch((error) => response.ok ? Promise.reject(error) : {})
    } catch (cause) {
      throw new AuthError(0, { detail: 'The server cannot be reached.', code: 'network' }, undefined, cause)
    }
    if (response.ok) return answer
    throw new AuthError(response.status, answer, Number(response.headers.get('Retry-After')) || undefined)
  }

  /** Runs one function at a time over all tabs, or after 5 s without the others. */
  const locked = async <T>(run: () => Promise<T>): Promise<T> => {
    let began = false
    const once = () => {
      began = true
      return run()
    }
    try {
      return await navigator.locks.request(key, { signal: AbortSignal.timeout(5_000) }, once)
    } catch (error) {
      if (began) throw error
      return run() // there are no locks, or another tab hangs with it
    }
  }

  /** Asks who is signed in by the cookie. */
  const ask = () => asking ??= call<Login | { id?: never }>('GET', 'session/').then((answer) => {
    asked = true
    return answer.id ? keep(answer) : write(null)
  }).finally(() => asking = undefined)

  /** Replaces a token, unless another tab did. Returns null if the session has ended. */
  const refresh = (old: Stored) => refreshing ??= locked(async () => {
    const stored = read()
    if (!stored || id(stored) !== id(old)) return stored
    // The next reader refreshes too, in case this tab ends before the answer.
    write({ ...stored, renew: 0 })
    const attempt = () => call<Login>('POST', 'token/refresh/', undefined, old.token)
    try {
      // A lost answer is repeated: the server returns the same token again for 30 s.
      return keep(await attempt().catch((error: AuthError) => error.status ? Promise.reject(error) : attempt()), true)
    } catch (error) {
      const { status, code } = error as AuthError
      if (status !== 401 && !ended.includes(code)) throw error
      const now = read()
      return id(now) === id(old) ? write(null) : now
    }
  }).finally(() => refreshing = undefined)

  /** The session with a token that has not expired. */
  const current = async () => {
    // A failure of the network does not sign out.
    if (!asked) await ask().catch((error) => read() ?? Promise.reject(error))
    const stored = read(), now = Date.now()
    // Before the time of the login, the clock was corrected.
    if (!stored || now < stored.renew && now >= 2 * stored.renew - stored.expires) return stored
    const fresh = refresh(stored)
    if (now >= stored.expires) return fresh
    fresh.catch(() => {}) // the token works, and the next call tries again
    return stored
  }
  const recover = async (old: Stored) => {
    if (!clientKey) return ask()
    const stored = read()
    return id(stored) === id(old) ? refresh(old) : stored
  }
  /** A call with the token. A 401 is believed once the token is the newest one. */
  const signed = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const session = await current()
    const attempt = (stored: Stored | null) => call<T>(method, path, body, stored?.token)
    try {
      return await attempt(session)
    } catch (error) {
      const fresh = session && (error as AuthError).status == 401 && await recover(session)
      if (!fresh) throw error
      return attempt(fresh)
    }
  }
  const keepUser = (user: User) => {
    const stored = read()
    if (stored?.user.id == user.id) write({ ...stored!, user })
    return user
  }
  const login = async (path: string, body: object, asUser?: boolean): Promise<NewSession> => {
    const answer = await (asUser ? signed : call)<Login>('POST', path, {
      ...body, client_key: clientKey, device_token: storage.getItem(device) ?? undefined,
    })
    return { ...shown(keep(answer))!, isNew: answer.is_new, recoveryCodes: answer.recovery_codes }
  }

  /** The path of an address with its query. */
  const pathOf = (address = '/') => {
    const { pathname, search } = new URL(address, api)
    return pathname + search
  }

  const { signal } = closing
  globalThis.addEventListener?.('storage', (event) => {
    if (event.key == key || event.key == null) update()
  }, { signal })
  globalThis.document?.addEventListener('visibilitychange', () => {
    if (document.hidden) return
    update() // a page that the browser kept for the Back button gets no events
    asked = !!clientKey // a page without scripts may have changed the cookie
    current().catch(() => {})
  }, { signal })

  return {
    /** The session as stored, without waiting; its token may have expired. The same object until a change. */
    get snapshot() {
      return view
    },
    /** The session, refreshed if its token has expired, or null. */
    session: async () => shown(await current()),
    /** Calls a listener with the state now and after each change in any tab. Returns a function that ends this. */
    onChange(listener: (change: Change) => void) {
      let active = true
      const begin = () => {
        if (!active) return
        listeners.add(listener)
        listener({ type: 'initial', session: view })
      }
      if (asked) queueMicrotask(begin)
      else ask().catch(() => {}).then(begin)
      return () => {
        active = false
        listeners.delete(listener)
      }
    },
    /** Like the global fetch, with the token of the session for trusted origins. It repeats a request once after a 401. */
    async fetch(input: RequestInfo | URL, init?: RequestInit) {
      const request = new Request(input, init)
      const session = trusted.includes(new URL(request.url).origin) && await current()
      if (!session) return send(request)
      const attempt = ({ token }: Stored) => {
        const copy = request.clone()
        if (token) copy.headers.set('Authorization', 'Token ' + token)
        return send(copy)
      }
      const response = await attempt(session)
      if (response.status != 401 || (response.headers.get('WWW-Authenticate') ?? 'Token') != 'Token') return response
      const fresh = await recover(session).catch(() => null)
      return fresh ? attempt(fresh) : response
    },

    /** Mails a link and a code. The answer is the same for every address. captcha is the response of a widget, if the server requires one. */
    async requestLink(email: string, locale?: string, captcha?: string) {
      const answer = await call<{ request_id: string, expires_in: number, _debug_auth_link?: string }>(
        'POST', 'by-link/link/', { email, client_key: clientKey, locale, captcha_response: captcha, return_to: clientKey ? undefined : pathOf(page?.href) })
      lastRequest = answer.request_id
      return { requestId: answer.request_id, expiresIn: answer.expires_in, debugLink: answer._debug_auth_link }
    },
    /** Logs in with the token of a mailed link. Call it on a click: mail scanners open links, too. */
    loginWithLink: (token: string) => login('by-link/login/', { token }),
    /** Logs in with the code of the mail that requestLink sent. */
    loginWithCode: (code: string, requestId = lastRequest) => login('by-link/login/', { request_id: requestId ?? '', code }),
    /** The token of a mailed link in an address, or null. */
    linkTokenFrom(address: { pathname: string } = page!) {
      const [, token] = address.pathname.split(options.linkPath ?? '/auth/link/')
      return token?.replace(/\/$/, '') || null
    },

    /** The providers that the client offers. */
    providers: () => call<Provider[]>('GET', 'social/providers/' + (clientKey ? '?client_key=' + encodeURIComponent(clientKey) : '')),
    /**
     * Sends the browser to a provider. It returns to the redirect URI, whose page calls
     * finishSocial. With the cookie it returns signed in, to any page of the site.
     */
    startSocial: (provider: string, redirectUri: string) => start(provider, redirectUri, false),
    /** The same, to add the account at the provider to the signed-in user. */
    linkSocial: (provider: string, redirectUri: string) => start(provider, redirectUri, true),
    /** Ends what startSocial or linkSocial began. Returns null if the address does not belong to it. */
    finishSocial: (address: string | URL = page!.href) => finishing ??= finish(new URL(address).searchParams).finally(() => finishing = undefined),

    /**
     * Logs in with a call of the API that has no method here; as the signed-in user if the
     * call replaces the session.
     */
    login,
    /** A call of the API as the signed-in user, or without one. */
    call: signed,
    /** The user as the server has it. */
    user: async () => keepUser(await signed<User>('GET', 'user/')),
    /** Changes the profile. An absent field is not changed. */
    updateUser: async (change: { first_name?: string, last_name?: string }) => keepUser(await signed<User>('PATCH', 'user/', change)),
    /** Mails a code to a new address, and one to the current address if currentCodeRequired. Needs a recent login. */
    async changeEmail(email: string, locale?: string) {
      const answer = await signed<{ request_id: string, expires_in: number, current_code_required: boolean }>(
        'POST', 'user/email/', { email, locale })
      return { requestId: answer.request_id, expiresIn: answer.expires_in, currentCodeRequired: answer.current_code_required }
    },
    /** Changes the address with the mailed codes. All sessions of the user end; this one is replaced. */
    confirmEmail: (requestId: string, code: string, currentCode?: string) =>
      login('user/email/confirm/', { request_id: requestId, code, current_code: currentCode || undefined }, true),
    /** Everything that is stored about the user. */
    export: () => signed<components['schemas']['Export']>('GET', 'user/export/'),
    /** Deletes the user with everything that is stored about it. Needs a recent login. */
    async deleteAccount() {
      await signed<void>('DELETE', 'user/')
      write(null)
    },
    /** The accounts at providers that log in this user. */
    identities: () => signed<Identity[]>('GET', 'identities/'),
    unlink: (id: string) => signed<void>('DELETE', `identities/${encodeURIComponent(id)}/`),
    /** The sessions of the user on all devices. */
    sessions: () => signed<DeviceSession[]>('GET', 'sessions/'),
    endSession: (id: string) => signed<void>('DELETE', `sessions/${encodeURIComponent(id)}/`),
    /** Ends this session, or all sessions of the user. The browser forgets a token in any case, but not a cookie if the call fails. */
    async logout({ everywhere = false } = {}) {
      const stored = read()
      if (clientKey) write(null)
      if (stored || !clientKey) await call('POST', 'logout/', { everywhere }, stored?.token).catch((error: AuthError) => {
        if (error.status != 401) throw error
      })
      if (!clientKey) write(null)
    },
    /** Ends the client's listeners. */
    close() {
      closing.abort()
      listeners.clear()
    },
  }

  async function finish(back: URLSearchParams) {
    const pending = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Pending | null
    if (!pending || back.get('state') !== pending.state) return null
    const value = (name: string) => back.get(name) ?? undefined
    const code = value('code')
    const session = code && await login('social/login/', { ...pending, code, iss: value('iss'), device_id: value('device_id') }, pending.link)
    sessionStorage.removeItem(key)
    if (!session) throw new AuthError(400, { detail: value('error') ?? '', code: 'provider_denied' })
    return session
  }
  async function start(provider: string, redirect_uri: string, link: boolean) {
    const body = { provider, client_key: clientKey, link, ...clientKey ? { redirect_uri } : { return_to: pathOf(redirect_uri) } }
    const { url, state } = await (link ? signed : call)<{ url: string, state: string }>('POST', 'social/authorize/', body)
    if (clientKey) sessionStorage.setItem(key, JSON.stringify({ provider, state, redirect_uri, link } satisfies Pending))
    page!.assign(url)
  }
}

/** Identifies a token or a cookie. */
const id = (stored: Stored | null) => stored && stored.token + stored.exp

const shown = (stored: Stored | null): Session | null =>
  stored && { token: stored.token, user: stored.user, expiresAt: new Date(stored.expires) }

/** The lifetime of a token in milliseconds, which is right whatever the clock of the browser shows. */
function lifetime(token: string) {
  try {
    const { iat, exp } = JSON.parse(atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))) as { iat: number, exp: number }
    return (exp - iat) * 1000 || undefined
  } catch {
    return undefined
  }
}

/** A storage that keeps in memory what the browser refuses: it may be blocked or full. */
function withMemory(get: () => TokenStorage): TokenStorage {
  const items = new Map<string, string>()
  const attempt = <T>(run: (storage: TokenStorage) => T) => {
    try {
      return run(get())
    } catch {
      return null
    }
  }
  const remove = (key: string) => attempt((storage) => storage.removeItem(key))
  return {
    getItem: (key) => items.get(key) ?? attempt((storage) => storage.getItem(key)),
    setItem(key, value) {
      items.set(key, value)
      attempt((storage) => {
        storage.setItem(key, value)
        items.delete(key)
      })
      if (items.has(key)) remove(key) // an old session must not return with a reload
    },
    removeItem(key) {
      items.delete(key)
      remove(key)
    },
  }
}
