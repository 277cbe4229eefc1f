/** Binding for Vue: `const session = useSession(auth)`. */
import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'
import type { Auth, Session } from './index.js'

/** The session of a client, or null, as a reference that follows changes in any tab. */
export function useSession(auth: Auth): Readonly<ShallowRef<Session | null>> {
  const session = shallowRef(auth.snapshot)
  onScopeDispose(auth.onChange((change) => {
    session.value = change.session
  }))
  return session
}
