/** Style and texts of the custom elements. */

/** The style sheet, over the CSS variables of the login page. */
export const style = `
:host {
  display: block; max-width: 25rem; color: var(--text, light-dark(#1c1c22, #f0f0f4)); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
  --s: var(--surface, light-dark(#fff, #1f1f24)); --a: var(--accent, light-dark(#2450c8, #9db8ff)); --o: var(--on-accent, light-dark(#fff, #10131c));
  --b: var(--border, light-dark(#84848f, #7d7d8a)); --d: var(--danger, light-dark(#b3161b, #ff9a94));
}
* { box-sizing: border-box }
h2 { margin: 0 0 1rem; font-size: 1.25rem }
h3 { margin: 1.5rem 0 .5rem; font-size: 1rem }
label { display: block; font-weight: 600 }
input, button { width: 100%; min-height: 2.75rem; margin: .25rem 0 .75rem; padding: .5rem .75rem; border-radius: .5rem; font: inherit }
input { border: 1px solid var(--b); background: var(--s); color: inherit }
[type=checkbox] { width: 1.5rem; min-height: 1.5rem; margin: .5rem; vertical-align: middle }
button { border: 1px solid var(--a); background: var(--a); color: var(--o); font-weight: 600; cursor: pointer }
.other { background: var(--s); color: inherit; border-color: var(--b) }
.danger { background: var(--s); color: var(--d); border-color: var(--d) }
:focus-visible { outline: 3px solid var(--a); outline-offset: 2px }
h2:focus { outline: 0 }
ul { list-style: none; margin: 0; padding: 0 }
li { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; padding: .5rem 0; border-top: 1px solid var(--b) }
li > span { flex: 1 1 10rem }
li button { width: auto; margin: 0 }
small { display: block; color: var(--muted, light-dark(#5a5a66, #b0b0bc)) }
p { margin: 0 0 .75rem }
p:empty { margin: 0 }
img { display: block; width: 12rem; max-width: 100%; background: #fff }
[role=alert] { color: var(--d) }
`

/** The texts of the elements, named as those of the login page. */
export const english = {
  SignIn: 'Sign in',
  Email: 'E-mail address',
  SendLink: 'Continue with e-mail',
  ContinueWith: 'Continue with {provider}',
  Continue: 'Continue',
  CheckMail: 'Check your mail',
  SentTo: 'We sent a link and a code to {email}.',
  Code: 'Code from the mail',
  SendAgain: 'Send another mail',
  OtherAddress: 'Use another address',
  SignInPasskey: 'Sign in with a passkey',
  AddPasskey: 'Add a passkey',
  PasskeyName: 'Name of the passkey',
  Remember: 'Remember this browser for {time}',
  TwoStep: 'Two-step verification',
  AppCode: 'Code from your authenticator app',
  UseRecovery: 'Use a recovery code',
  RecoveryCode: 'Recovery code',
  AddApp: 'Add an authenticator app',
  AppIntro: 'Scan this code with an authenticator app, or enter the key there. Then enter the code that the app shows.',
  QRCode: 'QR code with the key',
  App: 'Authenticator app',
  CodesLeft: 'Unused recovery codes: {count}',
  NewCodes: 'New recovery codes',
  RecoveryCodes: 'Recovery codes',
  RecoveryIntro: 'Each code replaces the app once. Keep them in a safe place: they are shown only now.',
  Devices: 'Remembered browsers',
  ValidUntil: 'Until {time}',
  Forget: 'Forget',
  ForgetAll: 'Forget all',
  Keys: 'API keys',
  KeyName: 'Name of the key',
  CreateKey: 'Create a key',
  KeySecret: 'Copy the key now. It will not be shown again.',
  KeyRemoved: 'The key was removed.',
  Account: 'Your account',
  SignedInAs: 'You are signed in as {email}.',
  FirstName: 'First name',
  LastName: 'Last name',
  Save: 'Save',
  Saved: 'The changes were saved.',
  Sessions: 'Where you are signed in',
  ThisBrowser: 'This browser',
  LastUsed: 'Last used {time}',
  EndSession: 'Sign out there',
  Ended: 'You are signed out there.',
  Logins: 'Ways to sign in',
  Remove: 'Remove {provider}',
  Add: 'Add {provider}',
  Removed: 'The login was removed.',
  Data: 'Your data',
  Download: 'Download my data',
  SignOut: 'Sign out',
  Delete: 'Delete my account',
  DeleteWarning: 'This deletes your account and all data that is stored here about you. It cannot be undone.',
  DeleteConfirm: 'Yes, delete my account permanently',
  ErrEmail: 'Enter a valid e-mail address.',
  ErrCode: 'The code is not correct or has expired.',
  ErrLink: 'The link was used already or has expired. Request a new one.',
  ErrState: 'This sign-in has expired or was started in another browser. Please try again.',
  ErrThrottled: 'Too many attempts. Try again in {time}.',
  ErrUnavailable: 'The service is temporarily unavailable. Try again in a moment.',
  ErrDenied: 'The provider did not confirm the sign-in.',
  ErrNotAdmitted: 'This account may not sign in here.',
  ErrInactive: 'This account is disabled.',
  ErrEmailTaken: 'An account with this e-mail address exists already. Sign in by e-mail, then add this login to your account.',
  ErrIdentityTaken: 'This login belongs to another account.',
  ErrUnlinked: 'This login was removed from its account. Sign in another way, then add it again.',
  ErrLastLogin: 'This is the only way to sign in to your account. Add another one first.',
  ErrRecent: 'Sign in again before you change this.',
  ErrPasskey: 'The passkey was not accepted. Try again, or sign in another way.',
  ErrUnknownPasskey: 'This passkey was removed from the account. Sign in another way.',
}

/** The texts of the elements. */
export type Texts = Record<keyof typeof english, string>

/** Texts for codes of docs/errors.md. */
export const failures: Record<string, keyof Texts> = {
  invalid_code: 'ErrCode', invalid_challenge: 'ErrState', invalid_link: 'ErrLink', invalid_state: 'ErrState', provider_denied: 'ErrDenied',
  network: 'ErrUnavailable', unavailable: 'ErrUnavailable', not_admitted: 'ErrNotAdmitted', signup_closed: 'ErrNotAdmitted',
  user_inactive: 'ErrInactive', email_taken: 'ErrEmailTaken', identity_taken: 'ErrIdentityTaken', identity_unlinked: 'ErrUnlinked',
  last_identity: 'ErrLastLogin', reauthentication_required: 'ErrRecent', invalid_passkey: 'ErrPasskey', unknown_passkey: 'ErrUnknownPasskey',
}
