// A page for signed-in users, and the pages on which they sign in by code, link or provider.
import { useEffect, useState, type FormEvent, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter, Navigate, Route, Routes } from 'react-router'
import { createAuth, type Provider } from 'edgeauth'
import { useSession } from 'edgeauth/react'

declare global {
  interface ImportMeta { env: Record<'VITE_API' | 'VITE_CLIENT_KEY', string> }
}

const api = import.meta.env.VITE_API
const auth = createAuth({ api, clientKey: import.meta.env.VITE_CLIENT_KEY })

/** A failed step, as a message. */
function useFailure() {
  const [failure, setFailure] = useState('')
  const attempt = async (step: () => Promise<unknown>) => {
    setFailure('')
    await step().catch((error: Error) => setFailure(error.message))
  }
  return { attempt, alert: failure && <p role="alert">{failure}</p> }
}

function Form({ label, name, button, onSend }: { label: string, name: string, button: string, onSend: (value: string) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    onSend(String(new FormData(event.currentTarget).get(name)))
  }
  return <form id={name} onSubmit={submit}><label>{label} <input name={name} required /></label> <button>{button}</button></form>
}

function SignIn() {
  const { attempt, alert } = useFailure()
  const [sent, setSent] = useState(false)
  const [providers, setProviders] = useState<Provider[]>([])
  useEffect(() => void auth.providers().then(setProviders, () => {}), [])
  return <>
    <h1>Sign in</h1>
    {sent
      ? <Form key="code" name="code" label="Code from the mail" button="Sign in" onSend={(code) => attempt(() => auth.loginWithCode(code))} />
      : <Form key="email" name="email" label="E-mail" button="Continue" onSend={(email) => attempt(async () => {
          await auth.requestLink(email)
          setSent(true)
        })} />}
    {providers.map(({ name }) => <button key={name} id={name} onClick={() => attempt(() => auth.startSocial(name, location.origin + '/auth/callback'))}>{name}</button>)}
    {alert}
  </>
}

function Link() {
  const { attempt, alert } = useFailure()
  return <><button onClick={() => attempt(() => auth.loginWithLink(auth.linkTokenFrom()!))}>Continue signing in</button>{alert}</>
}

function Callback() {
  const { attempt, alert } = useFailure()
  useEffect(() => void attempt(() => auth.finishSocial()), [])
  return alert || <p>Signing in…</p>
}

function Orders() {
  const session = useSession(auth)
  const [orders, setOrders] = useState('')
  const load = async () => setOrders(await (await auth.fetch(new URL('/orders', api))).text())
  return <>
    <h1>Orders</h1>
    <p>Signed in as <b id="email">{session?.user.email}</b></p>
    <button id="load" onClick={load}>Load orders</button> <button id="logout" onClick={() => auth.logout()}>Sign out</button>
    <pre id="orders">{orders}</pre>
  </>
}

/** Shows a page to signed-in users, or to those who are not. */
function Only({ signedIn, to, children }: { signedIn: boolean, to: string, children: ReactNode }) {
  const session = useSession(auth)
  return !!session === signedIn ? children : <Navigate to={to} replace />
}

createRoot(document.getElementById('root')!).render(
  <BrowserRouter>
    <Routes>
      <Route path="/" element={<Only signedIn to="/sign-in"><Orders /></Only>} />
      <Route path="/sign-in" element={<Only signedIn={false} to="/"><SignIn /></Only>} />
      <Route path="/auth/link/:token" element={<Only signedIn={false} to="/"><Link /></Only>} />
      <Route path="/auth/callback" element={<Only signedIn={false} to="/"><Callback /></Only>} />
    </Routes>
  </BrowserRouter>,
)
