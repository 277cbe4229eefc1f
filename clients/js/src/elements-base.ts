/** What the custom elements have in common: a shadow tree, messages, steps, and second factors. */
import type { Auth, AuthError, Session } from './index.js'
import { beginTotp, confirmTotp, loginWithFactor, missingFactor, verifyFactor, type MissingFactor } from './factors.js'
import { loginWithPasskey } from './passkeys.js'
import { failures, style, type Texts } from './elements-look.js'

export type Child = Node | string | false | 0 | null | undefined
/** A step of the user, which may fail. */
export type Step = () => Promise<unknown>
export type Values = Record<string, string>

// A server that renders pages imports the module, too.
const Parent = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement

export abstract class Base extends Parent {
  // What defineElements sets for the elements of a page.
  declare readonly auth: Auth
  declare readonly texts: Texts
  declare readonly redirectUri: string | undefined
  readonly #body = element('div')
  readonly #status = element('p', { role: 'status' })
  readonly #alert = element('p', { role: 'alert' })
  #stop?: () => void
  /** What is shown stays until the user continues. */
  #held = false

  /** The page to which a provider returns. */
  get back() {
    return this.redirectUri ?? location.origin + location.pathname
  }

  connectedCallback() {
    if (!this.shadowRoot) {
      const sheet = new CSSStyleSheet()
      sheet.replaceSync(style)
      const root = this.attachShadow({ mode: 'open' })
      root.adoptedStyleSheets = [sheet]
      root.append(this.#body, this.#status, this.#alert)
    }
    this.#stop = this.auth.onChange(({ type, session }) => this.#held || type == 'refreshed' || this.render(session))
  }
  disconnectedCallback() {
    this.#stop?.()
  }
  /** Shows what belongs to a session, or to none. */
  abstract render(session: Session | null): void

  /** Shows a step and moves the focus to it, unless the page was just loaded. */
  show(children: Child[], focus?: boolean) {
    this.#body.replaceChildren(...present(children))
    if (focus) (this.#body.querySelector('input') ?? this.#body.querySelector('h2'))?.focus()
  }
  say(text: string) {
    this.#status.textContent = text
  }
  /** Runs a step. It asks for a second factor if the step needs one, and shows a failure. */
  async run(step: Step) {
    this.say('')
    this.#alert.textContent = ''
    try {
      await step()
    } catch (error) {
      const missing = missingFactor(error)
      if (missing?.enrol && missing.challenge) await this.run(() => this.enrol(missing.challenge))
      else if (missing) this.#ask(missing, step)
      else this.#alert.textContent = this.#message(error as Error)
    }
  }
  /** The text about any error. Only an AuthError has a status, a code and fields. */
  #message(error: Error & Partial<AuthError>) {
    const { texts } = this
    if (error.name == 'NotAllowedError') return '' // the user cancelled
    if (error.status == 429) return texts.ErrThrottled.replace('{time}', `${error.retryAfter ?? 60} s`)
    return error.fields?.email ? texts.ErrEmail : texts[failures[error.code!]!] ?? error.message
  }
  /** Asks for the missing factor, without methods for a recovery code. It completes the login, or repeats the step. */
  #ask(missing: MissingFactor, step: Step) {
    const { auth, texts } = this, { challenge, methods, rememberFor } = missing, app = methods.includes('totp')
    const box = element('input', { type: 'checkbox', name: 'remember' })
    const remember = rememberFor && element('label', {}, box,
      texts.Remember.replace('{time}', (rememberFor / 86400).toLocaleString(document.documentElement.lang || [], { style: 'unit', unit: 'day' })))
    this.show([
      heading(texts.TwoStep),
      app || !methods[0] ? this.form([
        code(app ? texts.AppCode : texts.RecoveryCode, !app), remember,
      ], texts.Continue, async ({ code = '' }) => {
        const proof = app ? { code } : { recoveryCode: code }
        if (challenge) return loginWithFactor(auth, challenge, { ...proof, rememberDevice: box.checked })
        await verifyFactor(auth, proof)
        this.render(auth.snapshot)
        return step()
      }) : remember,
      methods.includes('passkey') && this.button(texts.SignInPasskey, () => loginWithPasskey(auth, { challenge, rememberDevice: box.checked })),
      methods.includes('recovery') && this.button(texts.UseRecovery, async () => this.#ask({ ...missing, methods: [] }, step)),
    ], true)
  }
  /** Adds an application, which the login of a challenge may require. After the first code it shows the recovery codes. */
  async enrol(challenge?: string) {
    const { auth, texts } = this, { qr, secret, enrolment } = await beginTotp(auth, challenge)
    this.show([
      heading(texts.AddApp),
      element('p', {}, texts.AppIntro),
      element('img', { src: qr, alt: texts.QRCode }),
      element('p', {}, secret),
      this.form([code(texts.AppCode)], texts.Continue, async ({ code = '' }) => {
        this.#held = true
        try {
          const session = await (challenge ? loginWithFactor(auth, challenge, { code, enrolment }) : confirmTotp(auth, enrolment, code))
          this.codes(session.recoveryCodes)
        } catch (error) {
          this.#held = false
          throw error
        }
      }),
    ], true)
  }
  /** Shows recovery codes until the user continues. */
  codes(list?: string[]) {
    const { texts } = this
    if (list) return this.keep(texts.RecoveryCodes, texts.RecoveryIntro, list)
    this.#held = false
    this.render(this.auth.snapshot)
  }
  /** Shows secrets, which are shown once, until the user continues. */
  keep(title: string, text: string, secrets: string[]) {
    this.#held = true
    this.show([
      heading(title), element('p', {}, text),
      items(secrets.map((one) => [element('code', {}, one)])), this.button(this.texts.Continue, async () => this.codes(), ''),
    ], true)
  }

  button(label: string, step: Step, className = 'other') {
    const made = element('button', { type: 'button', class: className }, label)
    made.onclick = () => this.run(step)
    return made
  }
  form(fields: Child[], label: string, step: (values: Values) => Promise<unknown>) {
    const made = element('form', {}, ...fields, element('button', {}, label))
    made.onsubmit = (event) => {
      event.preventDefault()
      const values = Object.fromEntries(new FormData(made)) as Values
      void this.run(() => step(values))
    }
    return made
  }
}

let serial = 0

/** An input with its label. */
export function field(label: string, attributes: Values) {
  const id = 'f' + ++serial
  return element('div', {}, element('label', { for: id }, label), element('input', { id, ...attributes }))
}

/** An input for a code of digits, or for a recovery code. */
export const code = (label: string, letters = false) =>
  field(label, { name: 'code', autocomplete: letters ? 'off' : 'one-time-code', inputmode: letters ? 'text' : 'numeric', required: '' })

/** The heading of a step, to which the focus can move. */
export const heading = (...children: Child[]) => element('h2', { tabindex: '-1' }, ...children)

export const items = (rows: Child[][]) => element('ul', {}, ...rows.map((row) => element('li', {}, ...row)))

/** The name of a provider: "google-oauth2" is Google. */
export const title = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replace(/-.*/, '')

export function element<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Values = {}, ...children: Child[]) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...present(children))
  return made
}

const present = (children: Child[]) => children.filter((child): child is Node | string => !!child)
