/**
 * Custom elements over the CSS variables of the login page:
 *
 * ```js
 * import { createAuth } from 'edgeauth'
 * import { defineElements } from 'edgeauth/elements'
 * import texts from 'edgeauth/texts/de'
 *
 * defineElements(createAuth({ api: '/auth' }), { texts })
 * ```
 *
 * `<edge-login>` signs in, and shows its content to a signed-in user. An element in it with
 * `slot="heading"` replaces the text of the heading. `<edge-account>` shows and changes the
 * account.
 */
import type { Auth, Session } from './index.js'
import { Base, code, element, field, heading, title } from './elements-base.js'
import { Account } from './elements-account.js'
import { english, type Texts } from './elements-look.js'
import { autofillAvailable, loginWithPasskey, passkeysAvailable } from './passkeys.js'

export type { Texts } from './elements-look.js'

export interface ElementOptions {
  /** The page to which a provider returns: a redirect URI of the client, or with the cookie any page. Default: the current page. */
  redirectUri?: string
  /** Texts in another language, of `edgeauth/texts/<language>`. Absent ones are English. */
  texts?: Partial<Texts>
}

/** Defines the elements for a client. A page calls it once. */
export function defineElements(auth: Auth, { redirectUri, texts }: ElementOptions = {}): void {
  Object.assign(Base.prototype, { auth, redirectUri, texts: { ...english, ...texts } })
  customElements.define('edge-login', Login)
  customElements.define('edge-account', Account)
}

class Login extends Base {
  /** Ends the offer of passkeys with the address field. */
  #offer = new AbortController()

  override connectedCallback() {
    super.connectedCallback()
    if (new URLSearchParams(location.search).has('state')) void this.run(async () => {
      if (await this.auth.finishSocial()) history.replaceState(history.state, '', location.pathname)
    })
  }
  override disconnectedCallback() {
    super.disconnectedCallback()
    this.#offer.abort()
  }
  override show(...step: Parameters<Base['show']>) {
    this.#offer.abort()
    super.show(...step)
  }
  render(session: Session | null) {
    this.say('')
    if (session) this.show([element('slot')])
    else if (this.auth.linkTokenFrom()) this.#link()
    else this.#address(false)
  }
  #heading() {
    return heading(element('slot', { name: 'heading' }, this.texts.SignIn))
  }
  #link() {
    this.show([this.#heading(), this.button(this.texts.Continue, async () => {
      await this.auth.loginWithLink(this.auth.linkTokenFrom()!)
      history.replaceState(null, '', '/')
    }, '')])
  }
  #address(focus: boolean) {
    const { auth, texts } = this
    const passkey = this.button(texts.SignInPasskey, () => {
      this.#offer.abort()
      return loginWithPasskey(auth)
    })
    passkey.hidden = true
    const providers = element('div')
    this.show([
      this.#heading(),
      this.form([field(texts.Email, { name: 'email', type: 'email', autocomplete: 'email webauthn', required: '' })], texts.SendLink,
        ({ email = '' }) => this.#send(email)),
      passkey, providers,
    ], focus)
    auth.providers().then((list) => providers.append(...list.map(({ name }) =>
      this.button(texts.ContinueWith.replace('{provider}', title(name)), () => auth.startSocial(name, this.back)))), () => {})
    if (passkeysAvailable()) void this.#passkeys(passkey)
  }
  /** Shows the button if the realm has passkeys, and offers them with the address field. */
  async #passkeys(button: HTMLElement) {
    const { signal } = this.#offer = new AbortController()
    try {
      await this.auth.call('POST', 'passkeys/login/options/')
      button.hidden = false
      if (await autofillAvailable() && !signal.aborted) await loginWithPasskey(this.auth, { autofill: true, signal })
    } catch (error) {
      if ((error as { code?: unknown }).code == 'unknown_passkey') await this.run(() => Promise.reject(error))
    }
  }
  async #send(email: string) {
    const { auth, texts } = this
    await auth.requestLink(email, document.documentElement.lang || undefined)
    this.show([
      heading(texts.CheckMail),
      this.form([code(texts.Code)], texts.SignIn, ({ code = '' }) => auth.loginWithCode(code)),
      this.button(texts.SendAgain, () => this.#send(email)),
      this.button(texts.OtherAddress, async () => this.#address(true)),
    ], true)
    this.say(texts.SentTo.replace('{email}', email))
  }
}
