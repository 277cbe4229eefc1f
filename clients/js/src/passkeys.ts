/**
 * Passkeys: `if (passkeysAvailable()) await loginWithPasskey(auth)`. The realm needs
 * `passkeys optional`.
 */
import type { Auth, AuthError, NewSession } from './index.js'
import type { components } from './api.js'

/** A passkey of the user. */
export type Passkey = components['schemas']['Passkey']

/** Reports whether this browser has passkeys, in a form that this module uses. */
export const passkeysAvailable = () =>
  typeof PublicKeyCredential == 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential

/** Reports whether this browser offers passkeys with the suggestions of an address field. */
export const autofillAvailable = async () =>
  passkeysAvailable() && !!await PublicKeyCredential.isConditionalMediationAvailable?.()

/**
 * Logs in with a passkey that the user chooses. With `autofill` it waits until the user
 * takes a suggestion of the field with `autocomplete="username webauthn"`. A signal ends
 * the wait; the browser allows one at a time. With the challenge of a login that lacks its
 * second factor (`missingFactor`) the passkey completes that login.
 */
export async function loginWithPasskey(auth: Auth, { autofill, signal, challenge, rememberDevice }:
  { autofill?: boolean, signal?: AbortSignal, challenge?: string, rememberDevice?: boolean } = {}): Promise<NewSession> {
  const options = await auth.call<PublicKeyCredentialRequestOptionsJSON>('POST', 'passkeys/login/options/')
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  const credential = await navigator.credentials.get({
    publicKey, ...autofill ? { mediation: 'conditional' } : {}, ...signal ? { signal } : {},
  }) as PublicKeyCredential
  try {
    return await auth.login(challenge ? 'factors/login/' : 'passkeys/login/',
      { challenge, credential: credential.toJSON(), remember_device: rememberDevice })
  } catch (error) {
    if ((error as AuthError).code == 'unknown_passkey') await forget(options, credential.id)
    throw error
  }
}

/** Tells the browser that a passkey is not registered, so that it stops offering it. Failures are ignored. */
async function forget(options: PublicKeyCredentialRequestOptionsJSON | Promise<PublicKeyCredentialRequestOptionsJSON>, credentialId: string) {
  try {
    const { rpId } = await options
    await (PublicKeyCredential as {
      signalUnknownCredential?: (passkey: { rpId: string | undefined, credentialId: string }) => Promise<void>
    }).signalUnknownCredential?.({ rpId, credentialId })
  } catch {}
}

/** Creates a passkey in this browser for the signed-in user. Needs a recent login. */
export async function addPasskey(auth: Auth, name?: string): Promise<Passkey> {
  const options = await auth.call<PublicKeyCredentialCreationOptionsJSON>('POST', 'passkeys/registration/options/')
  const created = await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
  }) as PublicKeyCredential
  return auth.call<Passkey>('POST', 'passkeys/registration/', { credential: created.toJSON(), name })
}

/** The passkeys of the user, newest first. */
export const passkeys = (auth: Auth): Promise<Passkey[]> => auth.call('GET', 'passkeys/')

export const renamePasskey = (auth: Auth, id: string, name: string): Promise<Passkey> =>
  auth.call('PATCH', `passkeys/${encodeURIComponent(id)}/`, { name })

/** Removes a passkey, which this browser then stops offering. Needs a recent login. */
export async function removePasskey(auth: Auth, { id, credential_id }: Pick<Passkey, 'id' | 'credential_id'>): Promise<void> {
  await auth.call('DELETE', `passkeys/${encodeURIComponent(id)}/`)
  await forget(auth.call('POST', 'passkeys/login/options/'), credential_id)
}
