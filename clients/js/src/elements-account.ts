/** The element that shows and changes the account. */
import type { Identity, Session } from './index.js'
import { Base, element, field, heading, items, title, type Child } from './elements-base.js'
import { beginTotp, confirmTotp, factors, newRecoveryCodes, removeTotp, type Factors } from './factors.js'
import { addPasskey, passkeys, passkeysAvailable, removePasskey, type Passkey } from './passkeys.js'

/** What a realm may not have. */
const optional = <T>(call: Promise<T>) => call.catch(() => undefined)

export class Account extends Base {
  #serial = 0

  render(session: Session | null) {
    if (session) void this.run(() => this.#load(session))
    else this.show([])
  }
  async #load({ user }: Session) {
    const { auth, texts } = this, serial = ++this.#serial
    const [sessions, identities, providers, keys, second] = await Promise.all([
      auth.sessions(), auth.identities(), auth.providers().catch(() => []), optional(passkeys(auth)), optional(factors(auth)),
    ])
    if (serial != this.#serial) return // a later load shows the newer state
    this.show([
      heading(texts.Account),
      element('p', {}, texts.SignedInAs.replace('{email}', user.email)),
      this.form([
        field(texts.FirstName, { name: 'first_name', autocomplete: 'given-name', value: user.first_name }),
        field(texts.LastName, { name: 'last_name', autocomplete: 'family-name', value: user.last_name }),
      ], texts.Save, (values) => this.#after(auth.updateUser(values), texts.Saved)),
      element('h3', {}, texts.Sessions),
      items(sessions.map(({ id, user_agent, last_seen, current }) => [
        label(user_agent || '–', current ? texts.ThisBrowser : texts.LastUsed.replace('{time}', local(last_seen))),
        !current && this.button(texts.EndSession, () => this.#after(auth.endSession(id), texts.Ended)),
      ])),
      ...this.#logins(identities, providers.map(({ name }) => name), keys),
      ...second ? this.#second(second) : [],
      element('h3', {}, texts.Data),
      this.button(texts.Download, () => this.#download()),
      this.button(texts.SignOut, () => auth.logout()),
      this.button(texts.Delete, async () => this.#delete(), 'danger'),
    ])
  }
  /** Waits for a change, then shows the new state. */
  async #after(change: Promise<unknown>, text: string) {
    await change
    if (this.auth.snapshot) await this.#load(this.auth.snapshot)
    this.say(text)
  }
  #logins(identities: Identity[], providers: string[], keys: Passkey[] | undefined): Child[] {
    const { auth, texts } = this
    const removal = (name: string, remove: () => Promise<void>) =>
      this.button(texts.Remove.replace('{provider}', name), () => this.#after(remove(), texts.Removed))
    return [
      element('h3', {}, texts.Logins),
      items([
        ...identities.map(({ id, provider, email }) => [label(title(provider), email), removal(title(provider), () => auth.unlink(id))]),
        ...(keys ?? []).map(({ id, name, created }) => [label(name, local(created)), removal(name, () => removePasskey(auth, id))]),
      ]),
      ...providers.map((name) => this.button(texts.Add.replace('{provider}', title(name)), () => auth.linkSocial(name, this.back))),
      keys && passkeysAvailable() && this.form([field(texts.PasskeyName, { name: 'name', maxlength: '64' })], texts.AddPasskey,
        ({ name }) => this.#after(addPasskey(auth, name || undefined), texts.Saved)),
    ]
  }
  #second({ totp, recovery_codes_left }: Factors): Child[] {
    const { auth, texts } = this
    return [element('h3', {}, texts.TwoStep), ...totp ? [
      items([[
        label(texts.App, texts.CodesLeft.replace('{count}', String(recovery_codes_left))),
        this.button(texts.Remove.replace('{provider}', texts.App), () => this.#after(removeTotp(auth), texts.Removed)),
      ]]),
      this.button(texts.NewCodes, async () => this.codes(await newRecoveryCodes(auth))),
    ] : [this.button(texts.AddApp, async () => {
      const begun = await beginTotp(auth)
      this.enrolment(begun, (value) => confirmTotp(auth, begun.enrolment, value))
    })]]
  }
  #delete() {
    const { auth, texts } = this
    this.show([
      heading(texts.Delete), element('p', {}, texts.DeleteWarning),
      this.button(texts.DeleteConfirm, () => auth.deleteAccount(), 'danger'),
      this.button(texts.Account, async () => this.render(auth.snapshot)),
    ], true)
  }
  async #download() {
    const url = URL.createObjectURL(new Blob([JSON.stringify(await this.auth.export(), null, 2)], { type: 'application/json' }))
    element('a', { href: url, download: 'account.json' }).click()
    URL.revokeObjectURL(url)
  }
}

const label = (name: string, detail: string) => element('span', {}, name, element('small', {}, detail))
const local = (time: string) => new Date(time).toLocaleString()
