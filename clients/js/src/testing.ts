/**
 * Sign-in without mail for a frontend's own end-to-end tests. It needs a server in
 * development mode (`insecure_debug_links`), whose answers contain the mailed link; another
 * server refuses it. Do not import it in an application.
 */
import type { User } from './index.js'

/** A session for the browser of a test. */
export interface TestSession {
  /** The token, or "" if the session is in a cookie. */
  token: string
  user: User
  /** The item of localStorage from which the client of the page reads the session. */
  item: { name: string, value: string }
}

/** The part of a response that is read. */
export interface TestResponse {
  status(): number
  json(): Promise<unknown>
}

export interface TestOptions {
  /** The address of the login API, as the page configures it. */
  api: string
  /** Without a client key, the session is in the cookie of the browser that `post` belongs to. */
  clientKey?: string
  email: string
  /** Sends JSON, for example `(url, data) => page.request.post(url, { data })`. Default: the global fetch. */
  post?: (url: string, data: Record<string, unknown>) => Promise<TestResponse>
}

const byFetch = async (url: string, data: Record<string, unknown>): Promise<TestResponse> => {
  const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(data) })
  return { status: () => answer.status, json: () => answer.json() }
}

/** Signs a user in. An unknown address gets an account. */
export async function signIn({ api, clientKey, email, post = byFetch }: TestOptions): Promise<TestSession> {
  const base = new URL(api.replace(/\/*$/, '/')).href
  const call = async <T>(path: string, data: Record<string, unknown>) => {
    const answer = await post(base + path, { ...data, ...clientKey ? { client_key: clientKey } : {} })
    const body = await answer.json()
    if (answer.status() != 200) throw new Error(`POST ${path} = ${answer.status()} ${JSON.stringify(body)}`)
    return body as T
  }
  const { _debug_auth_link: link } = await call<{ _debug_auth_link?: string }>('by-link/link/', { email })
  if (!link) throw new Error('the server is not in development mode: set insecure_debug_links in the realm')
  const login = await call<User & { token: string, expires_at: string, is_new: boolean }>(
    'by-link/login/', { token: link.split('/').pop() })
  const { token, expires_at, is_new: _, ...user } = login
  const exp = Date.parse(expires_at)
  const stored = { token, user, exp, expires: exp, renew: (Date.now() + exp) / 2 }
  return { token, user, item: { name: 'edgeauth:' + base, value: JSON.stringify(stored) } }
}

/** The part of a page of Playwright that is used. */
export interface PlaywrightPage {
  request: { post(url: string, options: { data: Record<string, unknown> }): Promise<TestResponse> }
  addInitScript(script: (item: { name: string, value: string }) => void, item: { name: string, value: string }): Promise<unknown>
}

/**
 * Signs in the pages of a browser context of Playwright. Call it before `page.goto`:
 *
 * ```ts
 * await signInPage(page, { api: 'http://localhost:8080/v1/auth', clientKey: 'web', email: 'ann@example.com' })
 * await page.goto('/')
 * ```
 */
export async function signInPage(page: PlaywrightPage, options: Omit<TestOptions, 'post'>): Promise<TestSession> {
  const session = await signIn({ ...options, post: (url, data) => page.request.post(url, { data }) })
  // Once: the page may sign out, and load again.
  if (session.token) await page.addInitScript(({ name, value }) => {
    const done = name + ':test'
    if (!sessionStorage.getItem(done)) localStorage.setItem(name, value)
    sessionStorage.setItem(done, value)
  }, session.item)
  return session
}
