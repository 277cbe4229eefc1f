/** Binding for Svelte: `const session = sessionStore(auth)`, then `$session`. */
import type { Auth, Session } from './index.js'

/** A store (the contract of Svelte) with the session of a client, or null. */
export function sessionStore(auth: Auth) {
  return {
    subscribe(run: (session: Session | null) => void) {
      run(auth.snapshot)
      return auth.onChange(({ session }) => run(session))
    },
  }
}
