/** Binding for Vue: `const session = useSession(auth)`. */
import { getCurrentInstance, onScopeDispose, shallowRef, type ShallowRef } from 'vue'
import type { Auth, Session } from './index.js'

/** The session of a client, or null, as a reference that follows changes in any tab. */
export function useSession(auth: Auth): Readonly<ShallowRef<Session | null>> {
  // A server renders signed out and disposes of no scope; the first render over its HTML must be equal.
  const session = shallowRef(getCurrentInstance()?.vnode.el ? null : auth.snapshot)
  if (globalThis.document) onScopeDispose(auth.onChange((change) => {
    session.value = change.session
  }))
  return session
}
