/** Binding for React: `const session = useSession(auth)`. */
import { useSyncExternalStore } from 'react'
import type { Auth, Session } from './index.js'

/** The session of a client, or null. The component renders again when it changes in any tab. */
export function useSession(auth: Auth): Session | null {
  return useSyncExternalStore(
    (render) => auth.onChange(render),
    () => auth.snapshot,
    () => null,
  )
}
