import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JWTPayload } from 'jose'

/** What is known about the user of a token or assertion. */
export interface Claims extends JWTPayload {
  sub: string
  sid?: string
  email?: string
  email_verified?: boolean
  name?: string
  /** As they are now, if they changed after the token was issued. */
  roles?: string[]
  amr?: string[]
  acr?: string
}

/** A request that may not proceed: 401, or 503 while the edge cannot be reached. */
export class Refused extends Error {
  constructor(status: number, message: string)
  status: number
}

export interface Options {
  /** The address of the login API. */
  api: string
  /** Default: `edgeauth`. */
  issuer?: string
  /** Default: the issuer. Of an assertion: the name in the Caddyfile. */
  audience?: string
  /** Verify the header X-Auth-Assertion instead of a token. */
  assertion?: boolean
  /** Milliseconds between two looks at the revocations. Default: 5000. */
  interval?: number
  /** Age of the revocations in milliseconds from which on all requests are refused. Default: 300000. */
  maxAge?: number
}

export interface Verifier {
  /** The claims of a login token or assertion. Throws Refused. */
  verify(token: string): Promise<Claims>
  /** The claims of a request of node:http or of the Fetch API, or null if it has no token. */
  user(request: IncomingMessage | Request): Promise<Claims | null>
  /** Sets request.user, or answers 401 or 503. */
  middleware(request: IncomingMessage & { user?: Claims }, response: ServerResponse, next: (error?: unknown) => void): void
  /** Ends the timers. */
  close(): void
}

export function createVerifier(options: Options): Promise<Verifier>
