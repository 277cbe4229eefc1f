/** API keys of the signed-in user. The realm needs `api_keys users`. */
import type { Auth } from './index.js'
import type { components } from './api.js'

/** An API key, without its secret. */
export type ApiKey = components['schemas']['APIKey']
/** An API key with its secret, which is not shown again. */
export type CreatedApiKey = components['schemas']['CreatedAPIKey']

/** The keys of the user, newest first. */
export const keys = (auth: Auth): Promise<ApiKey[]> => auth.call('GET', 'keys/')

/**
 * Creates a key with a lifetime in seconds and some of the roles of the user, without them
 * with none. Needs a recent login.
 */
export const createKey = (auth: Auth, { name, expiresIn, roles }: { name: string, expiresIn: number, roles?: string[] }): Promise<CreatedApiKey> =>
  auth.call('POST', 'keys/', { name, expires_in: expiresIn, roles })

export const revokeKey = (auth: Auth, id: string): Promise<void> => auth.call('DELETE', `keys/${encodeURIComponent(id)}/`)
