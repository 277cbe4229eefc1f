/**
 * Second factors. The realm needs `second_factor`.
 *
 * ```ts
 * try {
 *   await auth.loginWithCode('123456')
 * } catch (error) {
 *   const missing = missingFactor(error)
 *   if (!missing) throw error
 *   await loginWithFactor(auth, missing.challenge, { code: '654321' })
 * }
 * ```
 */
import type { Auth, AuthError, NewSession } from './index.js'
import type { components } from './api.js'

/** What the user has: an application, recovery codes, remembered devices. */
export type Factors = components['schemas']['Factors']
/** The secret of a new authenticator application. */
export type Enrolment = components['schemas']['Enrolment']

/** What a login or a call lacks. */
export interface MissingFactor {
  /** Completes the login. Empty if the call needs verifyFactor. It is a secret. */
  challenge: string
  /** The accepted factors: `totp`, `recovery`, `passkey`. */
  methods: string[]
  /** The user has to add an application to log in. */
  enrol: boolean
  /** Seconds for which rememberDevice remembers the browser, or 0. */
  rememberFor: number
}

/** A code of the application, or a recovery code. */
export type Proof = { code: string } | { recoveryCode: string }

/** What a call lacks that failed with `second_factor_required`, or null. */
export function missingFactor(error: unknown): MissingFactor | null {
  const { code, body = {} } = (error ?? {}) as Partial<AuthError>
  if (code != 'second_factor_required') return null
  const { challenge = '', methods = [], enrol = false, remember_for: rememberFor = 0 } = body
  return { challenge, methods, enrol, rememberFor }
}

/**
 * Completes a login. With the enrolment of a challenge that requires one, the code is the
 * first of the new application, and the session has recovery codes to show. A remembered
 * device sends its token with later logins.
 */
export const loginWithFactor = (auth: Auth, challenge: string, proof: Proof & { enrolment?: string, rememberDevice?: boolean }): Promise<NewSession> =>
  auth.login('factors/login/', { challenge, ...fields(proof), enrolment: proof.enrolment, remember_device: proof.rememberDevice })

/** Adds a second factor to the session. */
export const verifyFactor = (auth: Auth, proof: Proof): Promise<NewSession> => auth.login('factors/verify/', fields(proof), true)

/** The second factors of the user. */
export const factors = (auth: Auth): Promise<Factors> => auth.call('GET', 'factors/')

/** A secret for a new application of the user, or of the user of a challenge. */
export const beginTotp = (auth: Auth, challenge?: string): Promise<Enrolment> => auth.call('POST', 'factors/totp/', { challenge })

/** Adds the application to the account. Other sessions end. */
export const confirmTotp = (auth: Auth, enrolment: string, code: string): Promise<NewSession> =>
  auth.login('factors/totp/confirm/', { enrolment, code }, true)

/** Removes the application and the recovery codes. */
export const removeTotp = (auth: Auth): Promise<void> => auth.call('DELETE', 'factors/totp/')

/** Replaces the recovery codes. They are shown once. */
export const newRecoveryCodes = async (auth: Auth): Promise<string[]> =>
  (await auth.call<{ recovery_codes: string[] }>('POST', 'factors/recovery/')).recovery_codes

/** Forgets a remembered device, or all of them. */
export const forgetDevice = (auth: Auth, id?: string): Promise<void> =>
  auth.call('DELETE', 'factors/devices/' + (id ? encodeURIComponent(id) + '/' : ''))

const fields = (proof: Proof) => 'code' in proof ? { code: proof.code } : { recovery_code: proof.recoveryCode }
