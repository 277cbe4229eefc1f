/** The element that shows and changes the account. */
import type { Identity, Provider, Session } from './index.js'
import { Base, element, field, heading, items, title, type Child } from './elements-base.js'
import { factors, forgetDevice, newRecoveryCodes, removeTotp, type Factors } from './factors.js'
import { createKey, keys as apiKeys, revokeKey, type ApiKey } from './keys.js'
import { addPasskey, passkeys, passkeysAvailable, removePasskey, type Passkey } from './passkeys.js'

/** What a realm may not have. */
const optional = <T>(call: Promise<T>) => call.catch(() => undefined)

/** The lifetime of new keys in seconds: 90 days. */
const keyLifetime = 7776e3

export class Account extends Base {
  #serial = 0

  render(session: Session | null) {
    if (session) void this.run(() => this.#load(session))
    else this.show([])
  }
  async #load({ user }: Session) {
    const { auth, texts } = this, serial = ++this.#serial
    const [sessions, identities, providers, passes, second, keys] = await Promise.all([
      auth.sessions(), auth.identities(), optional(auth.providers()), optional(passkeys(auth)), optional(factors(auth)),
      optional(apiKeys(auth)),
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
      items(sessions.map(({ id, user_agent, last_seen, current }) => current ? [label(user_agent, texts.ThisBrowser)]
        : this.#row(user_agent, texts.LastUsed.replace('{time}', local(last_seen)), texts.EndSession, () => auth.endSession(id), texts.Ended))),
      ...this.#logins(identities, providers, passes),
      ...second ? this.#second(second) : [],
      ...keys ? this.#keys(keys) : [],
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
  /** A row of a list, with a button that changes the account. */
  #row(name: string, detail: string, action: string, change: () => Promise<unknown>, done: string): Child[] {
    return [label(name, detail), this.button(action, () => this.#after(change(), done))]
  }
  #removable(name: string, detail: string, remove: () => Promise<unknown>, done = this.texts.Removed) {
    return this.#row(name, detail, this.texts.Remove.replace('{provider}', name), remove, done)
  }
  #logins(identities: Identity[], providers: Provider[] | undefined, keys: Passkey[] | undefined): Child[] {
    const { auth, texts } = this
    return [
      element('h3', {}, texts.Logins),
      items([
        ...identities.map(({ id, provider, email }) => this.#removable(title(provider), email, () => auth.unlink(id))),
        ...(keys ?? []).map((key) => this.#removable(key.name, local(key.created), () => removePasskey(auth, key))),
      ]),
      ...(providers ?? []).map(({ name }) => this.button(texts.Add.replace('{provider}', title(name)), () => auth.linkSocial(name, this.back))),
      keys && passkeysAvailable() && this.form([field(texts.PasskeyName, { name: 'name', maxlength: '64' })], texts.AddPasskey,
        ({ name }) => this.#after(addPasskey(auth, name || undefined), texts.Saved)),
    ]
  }
  #second({ totp, recovery_codes_left, devices }: Factors): Child[] {
    const { auth, texts } = this
    return [element('h3', {}, texts.TwoStep), ...totp ? [
      items([this.#removable(texts.App, texts.CodesLeft.replace('{count}', String(recovery_codes_left)), () => removeTotp(auth))]),
      this.button(texts.NewCodes, async () => this.codes(await newRecoveryCodes(auth))),
    ] : [this.button(texts.AddApp, () => this.enrol())], ...devices[0] ? [
      element('h3', {}, texts.Devices),
      items(devices.map(({ id, user_agent, expires_at }) =>
        this.#row(user_agent, texts.ValidUntil.replace('{time}', local(expires_at)), texts.Forget, () => forgetDevice(auth, id), texts.Saved))),
      this.button(texts.ForgetAll, () => this.#after(forgetDevice(auth), texts.Saved)),
    ] : []]
  }
  #keys(keys: ApiKey[]): Child[] {
    const { auth, texts } = this
    return [
      element('h3', {}, texts.Keys),
      items(keys.map(({ id, name, expires_at }) =>
        this.#removable(name, texts.ValidUntil.replace('{time}', local(expires_at)), () => revokeKey(auth, id), texts.KeyRemoved))),
      this.form([field(texts.KeyName, { name: 'key', maxlength: '100', required: '' })], texts.CreateKey, async ({ key = '' }) =>
        this.keep(texts.Keys, texts.KeySecret, [(await createKey(auth, { name: key, expiresIn: keyLifetime })).secret])),
    ]
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

const label = (name: string, detail: string) => element('span', {}, name || '–', element('small', {}, detail))
const local = (time: string) => new Date(time).toLocaleString()
